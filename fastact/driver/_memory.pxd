cimport numpy as cnp

cpdef enum:
    # Bytes of an array from which it pays, measured: below a huge page, malloc reuses its memory
    # just as well, and fresh pages are small ones from either.
    POOL_THRESHOLD = 1 << 21

# A new array in C order, uninitialised, of a type that needs no initialisation. From the pool at
# POOL_THRESHOLD bytes and above; a caller that has its size at hand asks PyArray_EMPTY below.
cdef cnp.ndarray new_array(int ndim, cnp.npy_intp* shape, int type_number)
