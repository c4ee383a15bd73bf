"""The compiled fast path and the parallel driver of the Cython backend.

``FastPath`` stands before the general driver (``fastact/dispatch.py``): it serves the common call,
native C-contiguous float32 or float64 arrays of one shape, and hands everything else on. It takes
no decision of its own, so results are the same. Kernels and loops are in ``_loops``.
"""

cimport numpy as cnp
from cpython.object cimport PyObject
from cython.parallel cimport prange

cnp.import_array()

cdef enum:
    MAX_OPERANDS = 8

cdef extern from *:
    """
    #ifdef _OPENMP
    #define FASTACT_OPENMP _OPENMP
    #else
    #define FASTACT_OPENMP 0
    #endif
    #ifdef __VERSION__
    #define FASTACT_COMPILER __VERSION__
    #else
    #define FASTACT_COMPILER "unknown"
    #endif
    #define FASTACT_TEXT(x) #x
    #define FASTACT_HEX(x) FASTACT_TEXT(x)
    #define FASTACT_CYTHON FASTACT_HEX(CYTHON_HEX_VERSION)
    """
    const int FASTACT_OPENMP
    const char* FASTACT_COMPILER
    const char* FASTACT_CYTHON

cdef extern from "Python.h":
    int PyContextVar_Get(object var, PyObject* default, PyObject** value) except -1
    void Py_DECREF(PyObject*)
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t)
    long PyLong_AsLong(PyObject*) except? -1
    bint PyFloat_CheckExact(object)

ctypedef void (*loop_type)(void**, void**, Py_ssize_t, double*) noexcept nogil

# An array below this many bytes is computed without releasing the GIL: doing so would cost more.
cdef Py_ssize_t GIL_BYTES = 1 << 15


# --- settings: written by fastact.config, read here without a call into Python -------------------

cdef object block_settings = None  # the context variable of fastact.config
cdef object process_settings = None  # a (backend, num_threads) tuple
cdef PyObject* AUTO = NULL
cdef PyObject* CYTHON = NULL
cdef bint serial_only = False


def connect_settings(context_variable, settings, str auto, str this):
    """Tell where the settings are, and the two names (as objects) that mean this backend."""
    global block_settings, AUTO, CYTHON
    block_settings = context_variable
    keep_alive.extend((auto, this))
    AUTO = <PyObject*>auto
    CYTHON = <PyObject*>this
    set_process_settings(settings)


keep_alive = []


def set_process_settings(settings):
    global process_settings
    process_settings = settings


def stay_serial():
    """Never enter OpenMP again: its threads do not exist in a forked child, and it would hang."""
    global serial_only
    serial_only = True


cdef int threads_here() except -2:
    """The number of threads in force here, or -1 if another backend is."""
    cdef PyObject* settings
    PyContextVar_Get(block_settings, <PyObject*>process_settings, &settings)
    cdef PyObject* backend = PyTuple_GET_ITEM(settings, 0)
    cdef long num_threads = PyLong_AsLong(PyTuple_GET_ITEM(settings, 1))
    Py_DECREF(settings)
    return <int>num_threads if backend == AUTO or backend == CYTHON else -1


# --- running a loop ------------------------------------------------------------------------------

cdef struct Job:
    loop_type loop
    void* inputs[MAX_OPERANDS]
    void* outputs[MAX_OPERANDS]
    Py_ssize_t input_sizes[MAX_OPERANDS]  # bytes per element
    Py_ssize_t output_sizes[MAX_OPERANDS]
    int n_inputs
    int n_outputs
    Py_ssize_t n
    double* parameters


cdef void run_slice(Job* job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef void* inputs[MAX_OPERANDS]
    cdef void* outputs[MAX_OPERANDS]
    cdef int i
    for i in range(job.n_inputs):
        inputs[i] = <char*>job.inputs[i] + begin * job.input_sizes[i]
    for i in range(job.n_outputs):
        outputs[i] = <char*>job.outputs[i] + begin * job.output_sizes[i]
    job.loop(inputs, outputs, end - begin, job.parameters)


cdef void run(Job* job, int num_threads, Py_ssize_t grain) noexcept nogil:
    """Run the job on up to ``num_threads`` threads, each with at least ``grain`` elements."""
    cdef Py_ssize_t slices = min(<Py_ssize_t>num_threads, job.n // grain)
    if serial_only or slices < 2:
        job.loop(job.inputs, job.outputs, job.n, job.parameters)
        return
    # Slices start at multiples of 64 elements, so that no cache line has two writers.
    cdef Py_ssize_t length = ((job.n + slices - 1) // slices + 63) // 64 * 64
    cdef Py_ssize_t i
    for i in prange(slices, num_threads=<int>slices, schedule="static", chunksize=1):
        if i * length < job.n:
            run_slice(job, i * length, min((i + 1) * length, job.n))


cdef void run_releasing_gil(Job* job, int num_threads, Py_ssize_t grain):
    if job.n * job.input_sizes[0] < GIL_BYTES:
        job.loop(job.inputs, job.outputs, job.n, job.parameters)
    else:
        with nogil:
            run(job, num_threads, grain)


def execute(size_t address, inputs, outputs, parameters, int num_threads, Py_ssize_t grain):
    """Run the loop at ``address`` over contiguous one-dimensional arrays of equal length.

    ``inputs`` ends with the arrays of the parameters if the loop is a broadcast one; then
    ``parameters`` is empty.
    """
    cdef Job job
    cdef double values[MAX_OPERANDS]
    cdef cnp.ndarray array
    cdef int i
    for i, array in enumerate(inputs):
        job.inputs[i] = cnp.PyArray_DATA(array)
        job.input_sizes[i] = cnp.PyArray_ITEMSIZE(array)
    for i, array in enumerate(outputs):
        job.outputs[i] = cnp.PyArray_DATA(array)
        job.output_sizes[i] = cnp.PyArray_ITEMSIZE(array)
    for i, value in enumerate(parameters):
        values[i] = value
    job.loop = <loop_type>address
    job.n_inputs = len(inputs)
    job.n_outputs = len(outputs)
    job.n = cnp.PyArray_SIZE(outputs[0])
    job.parameters = values
    run_releasing_gil(&job, num_threads, grain)


def build_information():
    """Return how the extension was compiled."""
    return {
        "built": True,
        "compiler": FASTACT_COMPILER.decode(),
        "openmp": FASTACT_OPENMP if FASTACT_OPENMP else "no: built without OpenMP, serial only",
        "cython": FASTACT_CYTHON.decode(),
        "instruction_set": "baseline",
    }


# --- the fast path -------------------------------------------------------------------------------

cdef inline bint is_plain(object array, int type_number):
    """Whether it is exactly an ndarray: native, aligned, C-contiguous, not 0-d, of this type."""
    return (
        cnp.PyArray_CheckExact(array)
        and cnp.PyArray_TYPE(<cnp.ndarray>array) == type_number
        and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray>array)
        and cnp.PyArray_ISBEHAVED_RO(<cnp.ndarray>array)
        and cnp.PyArray_NDIM(<cnp.ndarray>array) > 0
    )


cdef inline bint are_apart(cnp.ndarray a, cnp.ndarray b):
    """Whether two arrays of equal size share no memory, or all of it element for element."""
    cdef char* start_a = <char*>cnp.PyArray_DATA(a)
    cdef char* start_b = <char*>cnp.PyArray_DATA(b)
    cdef Py_ssize_t size = cnp.PyArray_NBYTES(a)
    return start_a == start_b or start_a + size <= start_b or start_b + size <= start_a


cdef class FastPath:
    """Base class of a verb: calls the compiled loop where it can, ``_general_call`` elsewhere."""

    cdef loop_type float_loop
    cdef loop_type double_loop
    cdef int n_inputs
    cdef int n_outputs
    cdef int n_parameters
    cdef int n_free_parameters
    cdef double[MAX_OPERANDS] defaults
    cdef Py_ssize_t grain

    def _use_loops(self, size_t float_address, size_t double_address, int n_inputs, int n_outputs,
                   defaults, int n_free_parameters, Py_ssize_t grain):
        """Set what is called; the first ``n_free_parameters`` parameters may have any value."""
        self.float_loop = <loop_type>float_address
        self.double_loop = <loop_type>double_address
        self.n_inputs = n_inputs
        self.n_outputs = n_outputs
        self.n_parameters = len(defaults)
        self.n_free_parameters = n_free_parameters
        self.grain = grain
        for i, value in enumerate(defaults):
            self.defaults[i] = value

    def __call__(self, *args, **kwargs):
        cdef object result = self._fast_call(args, kwargs)
        return self._general_call(args, kwargs) if result is None else result

    cdef object _fast_call(self, tuple args, dict kwargs):
        """Return the result, or None where the call is not the common one."""
        cdef Job job
        cdef cnp.ndarray first, array
        cdef object out = None
        cdef int i, type_number, num_threads
        cdef double[MAX_OPERANDS] parameters
        cdef Py_ssize_t n_given = len(args) - self.n_inputs
        if self.float_loop == NULL or not 0 <= n_given <= self.n_free_parameters:
            return None
        if kwargs:
            if len(kwargs) != 1 or self.n_outputs != 1:
                return None
            out = kwargs.get("out")
            if out is None:
                return None
        num_threads = threads_here()
        if num_threads < 0 or not cnp.PyArray_CheckExact(args[0]):
            return None
        first = args[0]
        type_number = cnp.PyArray_TYPE(first)
        if type_number == cnp.NPY_FLOAT32:
            job.loop = self.float_loop
        elif type_number == cnp.NPY_FLOAT64:
            job.loop = self.double_loop
        else:
            return None
        for i in range(self.n_inputs, len(args)):
            if not PyFloat_CheckExact(args[i]):
                return None
        for i in range(self.n_inputs):
            if not is_plain(args[i], type_number):
                return None
            array = args[i]
            if i and not cnp.PyArray_SAMESHAPE(array, first):
                return None
            job.inputs[i] = cnp.PyArray_DATA(array)
            job.input_sizes[i] = cnp.PyArray_ITEMSIZE(array)
        if out is not None:
            if not (is_plain(out, type_number) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray>out)
                    and cnp.PyArray_SAMESHAPE(<cnp.ndarray>out, first)):
                return None
            for i in range(self.n_inputs):
                if not are_apart(<cnp.ndarray>out, <cnp.ndarray>args[i]):
                    return None
            result = out
            job.outputs[0] = cnp.PyArray_DATA(<cnp.ndarray>out)
        else:
            result = cnp.PyArray_EMPTY(first.ndim, first.shape, type_number, 0)
            job.outputs[0] = cnp.PyArray_DATA(<cnp.ndarray>result)
            if self.n_outputs == 2:
                second = cnp.PyArray_EMPTY(first.ndim, first.shape, type_number, 0)
                job.outputs[1] = cnp.PyArray_DATA(<cnp.ndarray>second)
                result = (result, second)
        for i in range(self.n_outputs):
            job.output_sizes[i] = cnp.PyArray_ITEMSIZE(first)
        job.n_inputs = self.n_inputs
        job.n_outputs = self.n_outputs
        job.n = cnp.PyArray_SIZE(first)
        job.parameters = self.defaults
        if n_given > 0:
            for i in range(self.n_parameters):
                parameters[i] = args[self.n_inputs + i] if i < n_given else self.defaults[i]
            job.parameters = parameters
        run_releasing_gil(&job, num_threads, self.grain)
        return result
