"""Large output arrays whose memory comes from the pool of recycled buffers (``buffer_pool.h``).

The arrays own their memory like any other: NumPy asks the allocation functions that were in
force when an array was made (NEP 49) for more memory, and gives it back to them.
"""

cimport numpy as cnp
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_New
from libc.string cimport strcpy

cnp.import_array()

# Written out: the declarations that come with NumPy 2.0 lack them.
cdef extern from "numpy/arrayobject.h":
    ctypedef struct PyDataMemAllocator:
        void* ctx
        void* (*malloc)(void* ctx, size_t size) noexcept nogil
        void* (*calloc)(void* ctx, size_t count, size_t size) noexcept nogil
        void* (*realloc)(void* ctx, void* data, size_t size) noexcept nogil
        void (*free)(void* ctx, void* data, size_t size) noexcept nogil

    ctypedef struct PyDataMem_Handler:
        char[127] name
        unsigned char version
        PyDataMemAllocator allocator

    PyObject* PyDataMem_DefaultHandler
    object PyDataMem_GetHandler()
    object PyDataMem_SetHandler(object handler)

cdef extern from "buffer_pool.h":
    const bint POOL_AVAILABLE

    ctypedef struct pool_figures:
        size_t limit
        size_t idle_bytes
        size_t idle_buffers
        size_t used_bytes
        size_t used_buffers
        size_t hits
        size_t misses

    int pool_start(size_t threshold)
    void pool_set_limit(size_t limit)
    void pool_clear()
    pool_figures pool_read()
    void* pool_malloc(void* context, size_t size) noexcept nogil
    void* pool_calloc(void* context, size_t count, size_t size) noexcept nogil
    void* pool_realloc(void* context, void* data, size_t size) noexcept nogil
    void pool_free(void* context, void* data, size_t size) noexcept nogil

cdef PyDataMem_Handler handler
strcpy(handler.name, "fastact_pool")
handler.version = 1
handler.allocator.ctx = NULL
handler.allocator.malloc = pool_malloc
handler.allocator.calloc = pool_calloc
handler.allocator.realloc = pool_realloc
handler.allocator.free = pool_free
cdef object capsule = PyCapsule_New(&handler, "mem_handler", NULL)

if pool_start(POOL_THRESHOLD) != 0:
    raise MemoryError("fastact: the pool of buffers could not be registered with fork")


cdef object take_over():
    """Have new arrays come from the pool; return the handler to restore, or None for no change.

    There is none with the pool off, and where somebody has NumPy use an allocator of their own.
    """
    if pool_read().limit == 0:
        return None
    former = PyDataMem_GetHandler()
    if <PyObject*>former != PyDataMem_DefaultHandler:
        return None
    PyDataMem_SetHandler(capsule)
    return former


cdef cnp.ndarray new_array(int ndim, cnp.npy_intp* shape, int type_number):
    cdef size_t item_size = cnp.PyArray_DescrFromType(type_number).itemsize
    cdef size_t size = cnp.PyArray_MultiplyList(shape, ndim) * item_size
    cdef object former = take_over() if size >= POOL_THRESHOLD else None
    try:
        return cnp.PyArray_EMPTY(ndim, shape, type_number, 0)
    finally:
        if former is not None:
            PyDataMem_SetHandler(former)


cdef class NewArraysFromPool:
    """A ``with`` block in which new arrays come from the pool, unless it is off.

    Small arrays are right as well, but do without NumPy's cache of small blocks.
    """

    cdef object former

    def __enter__(self):
        self.former = take_over()

    def __exit__(self, *_):
        if self.former is not None:
            PyDataMem_SetHandler(self.former)


def set_pool_limit(size_t limit):
    pool_set_limit(limit)


def clear_pool():
    pool_clear()


def pool_information():
    """Return the limit, what is idle and in use, and how often a buffer was found or had to be new."""
    return {"available": True, **pool_read()} if POOL_AVAILABLE else {"available": False}
