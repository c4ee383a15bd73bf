# True ufuncs over the compiled loops. They serve what is not plain: NumPy's machinery broadcasts,
# casts, orders and wraps, and calls inner_loop for each run of elements at equal steps.
#
# Included by _core.pyx.

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewLikeArray(cnp.ndarray array, cnp.NPY_ORDER order, PyObject* dtype, int subok)
    object PyArray_Scalar(void* data, cnp.dtype descr, PyObject* base)

cdef extern from "strides.h":
    void gather "fastact_gather"(
        void* to, const char* source, Py_ssize_t step, Py_ssize_t n, Py_ssize_t size
    ) noexcept nogil
    void scatter "fastact_scatter"(
        char* to, const void* source, Py_ssize_t step, Py_ssize_t n, Py_ssize_t size
    ) noexcept nogil

cdef extern from "sixteen.h":
    ctypedef struct format_type "fastact_format":
        pass
    format_type FORMATS "FASTACT_FORMATS"[2]
    double from_sixteen "fastact_from_sixteen"(unsigned short bits, format_type format) noexcept nogil
    unsigned short to_sixteen "fastact_to_sixteen"(
        double value, format_type format, int* is_close
    ) noexcept nogil

cdef extern from "floating_point.h":
    void clear_exceptions "fastact_clear_exceptions"() noexcept nogil

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #define FASTACT_OF_THREAD static __declspec(thread)
    #else
    #define FASTACT_OF_THREAD static __thread
    #endif
    /* The number of threads for the ufunc that this thread calls; 0 if nobody has set it. */
    FASTACT_OF_THREAD int fastact_threads_of_call = 0;
    /* What a loop of that call has raised, or NULL: NumPy looks for no errors of such loops. */
    FASTACT_OF_THREAD PyObject *fastact_error_of_call = NULL;
    """
    int threads_of_call "fastact_threads_of_call"
    PyObject* error_of_call "fastact_error_of_call"

cnp.import_ufunc()

cdef enum:
    STRIDED_TILE = 512  # elements that are copied to scratch memory at a time
    SIXTEEN_TILE = 64


# --- arrays at steps -----------------------------------------------------------------------------

cdef struct Strided:
    Job job  # its inputs and outputs begin at element 0
    Py_ssize_t input_steps[MAX_OPERANDS]  # bytes
    Py_ssize_t output_steps[MAX_OPERANDS]
    # One bit for each input that is a parameter: whether its negative zeros are 0, and whether its
    # nearest number of float32 counts.
    unsigned int unsigned_zeros
    unsigned int singles


cdef bint is_contiguous(Strided* strided) noexcept nogil:
    cdef int i
    if strided.unsigned_zeros | strided.singles:
        return False
    for i in range(strided.job.n_inputs):
        if strided.input_steps[i] != strided.job.input_sizes[i]:
            return False
    for i in range(strided.job.n_outputs):
        if strided.output_steps[i] != strided.job.output_sizes[i]:
            return False
    return True


cdef void run_tile(Strided* strided, Py_ssize_t begin, Py_ssize_t count) noexcept nogil:
    """Run the loop over a few elements; what does not lie side by side goes through scratch memory.

    All inputs are read before an output is written, so an output may be an input.
    """
    cdef double scratch[MAX_OPERANDS][STRIDED_TILE]
    cdef void* inputs[MAX_OPERANDS]
    cdef void* outputs[MAX_OPERANDS]
    cdef Job* job = &strided.job
    cdef bint is_whole = count % BLOCK == 0
    cdef Py_ssize_t blocks = (count + BLOCK - 1) // BLOCK
    cdef Py_ssize_t size, step
    cdef char* address
    cdef int i
    cdef int used = 0
    for i in range(job.n_inputs):
        size, step = job.input_sizes[i], strided.input_steps[i]
        address = <char*>job.inputs[i] + begin * step
        if step == size and is_whole and not (strided.unsigned_zeros | strided.singles) >> i & 1:
            inputs[i] = address
            continue
        inputs[i] = scratch[used]
        gather(inputs[i], address, step, count, size)
        if strided.singles >> i & 1:
            round_to_singles(scratch[used], count)
        if strided.unsigned_zeros >> i & 1:
            drop_signs_of_zeros(scratch[used], count)
        memset(<char*>inputs[i] + count * size, 0, (blocks * BLOCK - count) * size)
        used += 1
    for i in range(job.n_outputs):
        outputs[i] = <char*>job.outputs[i] + begin * strided.output_steps[i]
        if strided.output_steps[i] != job.output_sizes[i] or not is_whole:
            outputs[i] = scratch[used]
            used += 1
    job.loop(inputs, outputs, blocks, job.parameters)
    for i in range(job.n_outputs):
        address = <char*>job.outputs[i] + begin * strided.output_steps[i]
        if outputs[i] != address:
            scatter(address, outputs[i], strided.output_steps[i], count, job.output_sizes[i])


cdef void drop_signs_of_zeros(double* values, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        values[i] += 0.0


cdef void round_to_singles(double* values, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        values[i] = <float>values[i]


cdef void run_strided(Strided* strided, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t count
    if is_contiguous(strided):
        run_slice(&strided.job, begin, end)
        return
    while begin < end:
        count = min(end - begin, <Py_ssize_t>STRIDED_TILE)
        run_tile(strided, begin, count)
        begin += count


cdef void run_strided_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef Strided* strided = <Strided*>context
    cdef Py_ssize_t begin = chunk * strided.job.chunk
    run_strided(strided, begin, min(begin + strided.job.chunk, strided.job.n))


cdef bint is_spread(Strided* strided) noexcept nogil:
    """Whether no two results share memory: else the last must win, as in NumPy."""
    cdef int i
    for i in range(strided.job.n_outputs):
        if labs(strided.output_steps[i]) < strided.job.output_sizes[i]:
            return False
    return True


cdef void run_all(Strided* strided) noexcept nogil:
    """Run the loop over all elements, on the threads of this call where there are many."""
    cdef Job* job = &strided.job
    cdef Py_ssize_t chunks
    job.chunk = min(job.chunk, LONGEST_CHUNK)
    if threads_of_call < 2 or job.n < 2 * job.chunk or not is_spread(strided):
        run_strided(strided, 0, job.n)
        return
    chunks = (job.n + job.chunk - 1) // job.chunk
    run_parallel(run_strided_chunk, strided, chunks, threads_of_call)


# --- inner loops ---------------------------------------------------------------------------------

cdef struct Kernel:
    # What NumPy hands to the inner loop of one type.
    Loops* loops
    int type_number
    int layout  # index in FORMATS, or -1 where the type is none of 16 bits
    bint is_fast
    loop_type integer_loop
    int n_arrays
    int n_parameters
    int n_outputs
    unsigned int compared
    bint saturates
    double* defaults
    Py_ssize_t size
    Py_ssize_t chunk
    bint is_bound_by_memory
    PyObject* verb


cdef Kernel new_kernel(FastPath verb, int backend, bint is_fast, int type_number, int layout):
    cdef Kernel kernel
    kernel.loops = &verb.loops[backend]
    kernel.type_number = type_number
    kernel.layout = layout
    kernel.is_fast = is_fast
    kernel.integer_loop = integer_loop(verb, type_number)
    kernel.n_arrays = verb.n_inputs
    kernel.n_parameters = verb.n_parameters
    kernel.n_outputs = verb.n_outputs
    kernel.compared = verb.compared
    kernel.saturates = verb.saturates
    kernel.defaults = verb.defaults
    kernel.size = 2 if layout >= 0 else 4 if type_number == cnp.NPY_FLOAT32 else 8
    if is_integer(type_number):
        kernel.size = INTEGER_SIZES[(type_number - <int>cnp.NPY_BYTE) // 2]
    kernel.chunk = verb.chunk
    kernel.is_bound_by_memory = verb.is_bound_by_memory
    kernel.verb = <PyObject*>verb
    return kernel


cdef double nearest(double value, Kernel* kernel) noexcept nogil:
    """Return the number of the type of the arrays that is nearest to a parameter."""
    cdef int is_close = 0
    cdef unsigned short bits
    if kernel.layout >= 0:
        bits = to_sixteen(value, FORMATS[kernel.layout], &is_close)
        value = from_sixteen(bits, FORMATS[kernel.layout])
    elif kernel.type_number == cnp.NPY_FLOAT32:
        value = <float>value
    return value


cdef bint read_parameters(
    Kernel* kernel, char** args, const cnp.npy_intp* steps, Py_ssize_t index, double* values
) noexcept nogil:
    """Read the parameters of an element; return whether they are the defaults. A negative zero is 0."""
    cdef bint are_defaults = True
    cdef int i
    cdef int k = kernel.n_arrays
    for i in range(kernel.n_parameters):
        values[i] = (<double*>(args[k + i] + index * steps[k + i]))[0]
        if kernel.compared >> i & 1:
            values[i] = nearest(values[i], kernel)
        if values[i] == kernel.defaults[i]:
            values[i] = kernel.defaults[i]
        else:
            are_defaults = False
    return are_defaults


cdef bint have_steps(Kernel* kernel, const cnp.npy_intp* steps) noexcept nogil:
    cdef int i
    for i in range(kernel.n_parameters):
        if steps[kernel.n_arrays + i]:
            return True
    return False


cdef bint reads_own_results(Kernel* kernel, char** args, const cnp.npy_intp* steps) noexcept nogil:
    """Whether the first input is the result before, as in ufunc.reduce and ufunc.accumulate."""
    cdef int last = kernel.n_arrays + kernel.n_parameters
    return last == 2 and args[0] + steps[0] == args[2] and steps[0] == steps[2]


cdef Py_ssize_t count_alike(
    Kernel* kernel, char** args, const cnp.npy_intp* steps, Py_ssize_t n, bint* are_defaults
) noexcept nogil:
    """Return how many elements have the default parameters, as the first, or have others."""
    cdef double values[MAX_OPERANDS]
    cdef Py_ssize_t count = 1
    are_defaults[0] = read_parameters(kernel, args, steps, 0, values)
    while count < n and read_parameters(kernel, args, steps, count, values) == are_defaults[0]:
        count += 1
    return count


cdef void inner_loop(
    char** args, const cnp.npy_intp* dimensions, const cnp.npy_intp* steps, void* data
) noexcept nogil:
    """Compute a run of elements: the signature is NumPy's.

    Each element has the loop that it would have alone: the fast one is for default parameters.
    """
    cdef Kernel* kernel = <Kernel*>data
    cdef char* operands[3 * MAX_OPERANDS]
    cdef Py_ssize_t left = dimensions[0]
    cdef Py_ssize_t count
    cdef bint is_broadcast = left > 1 and have_steps(kernel, steps)
    cdef bint is_split = is_broadcast and kernel.is_fast and kernel.type_number == cnp.NPY_FLOAT32
    cdef bint is_sequence = left > 1 and reads_own_results(kernel, args, steps)
    cdef bint are_defaults
    cdef int i
    cdef int n_operands = kernel.n_arrays + kernel.n_parameters + kernel.n_outputs
    if left < 1:
        return
    if not is_split and not is_sequence:
        compute(kernel, args, left, steps, is_broadcast)
        return
    for i in range(n_operands):
        operands[i] = args[i]
    while left > 0:
        count = 1
        are_defaults = False
        if not is_sequence:
            count = count_alike(kernel, operands, steps, left, &are_defaults)
        compute(kernel, operands, count, steps, count > 1 and not are_defaults)
        for i in range(n_operands):
            operands[i] += count * steps[i]
        left -= count


cdef void compute(
    Kernel* kernel, char** args, Py_ssize_t n, const cnp.npy_intp* steps, bint is_broadcast
) noexcept nogil:
    cdef Strided strided
    cdef Job* job = &strided.job
    cdef double values[MAX_OPERANDS]
    cdef int first_output = kernel.n_arrays + kernel.n_parameters
    cdef int i
    cdef bint are_defaults = not is_broadcast and read_parameters(kernel, args, steps, 0, values)
    strided.unsigned_zeros = strided.singles = 0
    job.n = n
    job.n_inputs = kernel.n_arrays
    job.n_outputs = kernel.n_outputs
    job.parameters = values
    job.chunk = kernel.chunk
    for i in range(kernel.n_arrays):
        job.inputs[i], job.input_sizes[i] = args[i], kernel.size
        strided.input_steps[i] = steps[i]
    for i in range(kernel.n_outputs):
        job.outputs[i], job.output_sizes[i] = args[first_output + i], kernel.size
        strided.output_steps[i] = steps[first_output + i]
    if is_broadcast:
        job.n_inputs = first_output
        for i in range(kernel.n_arrays, first_output):
            job.inputs[i], job.input_sizes[i] = args[i], sizeof(double)
            strided.input_steps[i] = steps[i]
            if kernel.defaults[i - kernel.n_arrays] == 0:  # as in read_parameters
                strided.unsigned_zeros |= <unsigned int>1 << i
        if kernel.type_number == cnp.NPY_FLOAT32:
            strided.singles = kernel.compared << kernel.n_arrays
    job.loop = loop_of(kernel, is_broadcast, are_defaults)
    if job.loop == NULL:
        report_missing_loop()
    elif kernel.layout >= 0:
        run_sixteen_bits(&strided, kernel, are_defaults)
    else:
        job.streaming = kernel.is_bound_by_memory and pays_to_stream(job, STREAMING_BYTES)
        run_all(&strided)
    clear_exceptions()


cdef loop_type loop_of(Kernel* kernel, bint is_broadcast, bint are_defaults) noexcept nogil:
    if kernel.integer_loop != NULL:
        return kernel.integer_loop
    if kernel.type_number != cnp.NPY_FLOAT32:
        return kernel.loops.double_broadcast if is_broadcast else kernel.loops.double
    if is_broadcast:
        return kernel.loops.single_broadcast
    return kernel.loops.single_fast if kernel.is_fast and are_defaults else kernel.loops.single


cdef void report_missing_loop() noexcept with gil:
    keep_error(RuntimeError("fastact: a loop of this ufunc has not been compiled"))


cdef void keep_error(object error) noexcept:
    """Keep what a loop has raised for ``checked``; of a ufunc that others call, print it."""
    global error_of_call
    if threads_of_call == 0:
        raise error
    if error_of_call == NULL:
        Py_INCREF(error)
        error_of_call = <PyObject*>error


cdef object checked(object result):
    """Return the result of a ufunc, or raise what a loop of it has raised."""
    global error_of_call
    if error_of_call == NULL:
        return result
    error = <object>error_of_call
    Py_DECREF(error_of_call)
    error_of_call = NULL
    raise error


# --- float16 and bfloat16 ------------------------------------------------------------------------
#
# From a table, or computed in double and rounded once. The rounding of a result next to a tie is
# settled in Python.

cdef void run_sixteen_bits(Strided* strided, Kernel* kernel, bint are_defaults) noexcept nogil:
    cdef Job* job = &strided.job
    cdef environment_type environment
    cdef Py_ssize_t begin
    cdef int i
    cdef Loops* loops = kernel.loops
    for i in range(TABLES):
        if not are_defaults or loops.tables[i] == NULL:
            continue
        if loops.table_types[i] == kernel.type_number:
            job.loop = loops.table_loops[i]
            job.parameters = <double*>loops.tables[i]
            job.streaming = pays_to_stream(job, TABLE_STREAMING_BYTES)
            run_all(strided)
            return
    # A table is computed in the default environment, and this must not differ from it.
    get_environment(&environment)
    set_default_environment()
    begin = 0
    while begin < job.n:
        compute_sixteen_bits(strided, kernel, begin, min(job.n - begin, <Py_ssize_t>SIXTEEN_TILE))
        begin += SIXTEEN_TILE
    set_environment(&environment)


cdef void compute_sixteen_bits(
    Strided* strided, Kernel* kernel, Py_ssize_t begin, Py_ssize_t count
) noexcept nogil:
    cdef Job* job = &strided.job
    cdef double wide[MAX_OPERANDS][SIXTEEN_TILE]
    cdef double results[2][SIXTEEN_TILE]
    cdef unsigned short bits[SIXTEEN_TILE]
    cdef void* inputs[MAX_OPERANDS]
    cdef void* outputs[2]
    cdef format_type format = FORMATS[kernel.layout]
    cdef int is_close = 0
    cdef Py_ssize_t i, step
    cdef char* address
    cdef int k
    memset(wide, 0, sizeof(wide))
    for k in range(job.n_inputs):
        inputs[k] = wide[k]
        step = strided.input_steps[k]
        address = <char*>job.inputs[k] + begin * step
        if k < kernel.n_arrays:
            gather(bits, address, step, count, 2)
            for i in range(count):
                wide[k][i] = from_sixteen(bits[i], format)
            continue
        gather(wide[k], address, step, count, 8)
        if kernel.compared >> (k - kernel.n_arrays) & 1:
            for i in range(count):
                wide[k][i] = nearest(wide[k][i], kernel)
        if strided.unsigned_zeros >> k & 1:
            drop_signs_of_zeros(wide[k], count)
    for k in range(job.n_outputs):
        outputs[k] = results[k]
    if kernel.saturates:
        saturate(kernel, wide, count, job.parameters if job.n_inputs == kernel.n_arrays else NULL)
    job.loop(inputs, outputs, (count + BLOCK - 1) // BLOCK, job.parameters)
    if kernel.n_arrays == 1:  # products are rounded as they are
        for k in range(job.n_outputs):
            for i in range(count):
                to_sixteen(results[k][i], format, &is_close)
        if is_close:
            settle(kernel, wide, results, count, job.parameters if job.n_inputs == kernel.n_arrays else NULL)
    for k in range(job.n_outputs):
        for i in range(count):
            bits[i] = to_sixteen(results[k][i], format, &is_close)
        step = strided.output_steps[k]
        scatter(<char*>job.outputs[k] + begin * step, bits, step, count, 2)


# Where results need what only Python knows. It gets copies: a signal handler may raise there, and a
# traceback keep them.

cdef void settle(
    Kernel* kernel, double[SIXTEEN_TILE]* inputs, double[SIXTEEN_TILE]* results, Py_ssize_t count,
    double* parameters,
) noexcept with gil:
    """Move results next to a tie to the side of the true value."""
    cdef int i
    if error_of_call != NULL:
        return
    try:
        found = [doubles(results[i], count) for i in range(kernel.n_outputs)]
        values = parameter_values(kernel, inputs, count, parameters)
        dtype = cnp.PyArray_DescrFromType(kernel.type_number)
        (<FastPath>kernel.verb)._settle_ties(doubles(inputs[0], count), values, found, dtype)
        for i in range(kernel.n_outputs):
            memcpy(results[i], cnp.PyArray_DATA(<cnp.ndarray>found[i]), count * sizeof(double))
    except BaseException as error:
        keep_error(error)


cdef void saturate(
    Kernel* kernel, double[SIXTEEN_TILE]* inputs, Py_ssize_t count, double* parameters
) noexcept with gil:
    """Make outputs infinite where they have reached a bound, as a number of 16 bits."""
    if error_of_call != NULL:
        return
    try:
        y = doubles(inputs[1], count)
        values = parameter_values(kernel, inputs, count, parameters)
        dtype = cnp.PyArray_DescrFromType(kernel.type_number)
        (<FastPath>kernel.verb)._saturate(y, values, dtype)
        memcpy(inputs[1], cnp.PyArray_DATA(y), count * sizeof(double))
    except BaseException as error:
        keep_error(error)


cdef list parameter_values(
    Kernel* kernel, double[SIXTEEN_TILE]* inputs, Py_ssize_t count, double* parameters
):
    """Return the parameters as numbers or, where they are inputs of the loop, as arrays."""
    cdef int i
    if parameters == NULL:
        return [doubles(inputs[kernel.n_arrays + i], count) for i in range(kernel.n_parameters)]
    return [parameters[i] for i in range(kernel.n_parameters)]


cdef cnp.ndarray doubles(double* address, cnp.npy_intp count):
    cdef cnp.ndarray array = cnp.PyArray_EMPTY(1, &count, cnp.NPY_FLOAT64, 0)
    memcpy(cnp.PyArray_DATA(array), address, count * sizeof(double))
    return array


# --- making a ufunc ------------------------------------------------------------------------------

cdef enum:
    MOST_TYPES = 14  # of which 10 are integers

cdef object new_ufunc(FastPath verb, int backend, bint is_fast):
    """Return the ufunc of a verb; its inputs are the arrays and then the parameters, as doubles.

    The ufunc and its verb live as long as the process.
    """
    cdef list type_numbers = [cnp.NPY_FLOAT16, cnp.NPY_FLOAT32, cnp.NPY_FLOAT64]
    if verb.integer_row >= 0:  # before the others, into which NumPy would cast them
        type_numbers = [*range(<int>cnp.NPY_BYTE, <int>cnp.NPY_ULONGLONG + 1), *type_numbers]
    cdef int n_types = len(type_numbers)
    cdef int n_operands = verb.n_inputs + verb.n_parameters + verb.n_outputs
    cdef int bfloat16_types[3 * MAX_OPERANDS]
    cdef int i, k
    cdef Kernel* kernels = <Kernel*>PyMem_RawMalloc(MOST_TYPES * sizeof(Kernel))
    cdef void** data = <void**>PyMem_RawMalloc(MOST_TYPES * sizeof(void*))
    cdef cnp.PyUFuncGenericFunction* functions = <cnp.PyUFuncGenericFunction*>PyMem_RawMalloc(
        MOST_TYPES * sizeof(cnp.PyUFuncGenericFunction)
    )
    cdef char* types = <char*>PyMem_RawMalloc(MOST_TYPES * 3 * MAX_OPERANDS)
    if kernels == NULL or data == NULL or functions == NULL or types == NULL:
        raise MemoryError
    name = verb.__name__.encode()
    documentation = f"The ufunc of fastact.{verb.__name__}: {', '.join(verb.input_names)}.".encode()
    keep_alive.extend([name, documentation])
    verbs_with_ufuncs.append(verb)
    for i, number in enumerate([*type_numbers, bfloat16_number]):
        layout = 0 if number == cnp.NPY_FLOAT16 else 1 if number == bfloat16_number else -1
        kernels[i] = new_kernel(verb, backend, is_fast, number, layout)
        data[i] = &kernels[i]
        functions[i] = <cnp.PyUFuncGenericFunction>inner_loop
        for k in range(n_operands):
            is_parameter = verb.n_inputs <= k < verb.n_inputs + verb.n_parameters
            bfloat16_types[k] = <int>cnp.NPY_FLOAT64 if is_parameter else bfloat16_number
            if i < n_types:
                types[i * n_operands + k] = <int>cnp.NPY_FLOAT64 if is_parameter else number
    cdef cnp.ufunc ufunc = cnp.PyUFunc_FromFuncAndData(
        functions, data, types, n_types, verb.n_inputs + verb.n_parameters, verb.n_outputs,
        cnp.PyUFunc_None, name, documentation, 0
    )
    if bfloat16_number >= 0:
        cnp.PyUFunc_RegisterLoopForType(
            ufunc, bfloat16_number, functions[n_types], bfloat16_types, data[n_types]
        )
    return ufunc


def use_bfloat16(int type_number):
    """Tell the number of the type bfloat16. Ufuncs that exist are made anew when they are needed."""
    global bfloat16_number
    cdef FastPath verb
    if type_number != bfloat16_number:
        bfloat16_number = type_number
        for verb in verbs_with_ufuncs:
            verb.ufuncs = [None] * (2 * BACKENDS)


# --- calling it ----------------------------------------------------------------------------------

cdef enum:
    NOT_SERVED = -2
    WEAK = -1  # a Python number: it takes the type of the others

cdef struct Operands:
    int type_number  # of all arrays and scalars of NumPy, or WEAK where there are none
    int dimensions
    Py_ssize_t size  # of the largest array


cdef int bfloat16_number = -3  # until use_bfloat16 tells it: the number of no type
cdef list verbs_with_ufuncs = []  # which keeps them alive
cdef dict scalar_types = {
    <object>cnp.PyArray_TypeObjectFromType(number): number
    for number in [*range(cnp.NPY_BOOL, cnp.NPY_DOUBLE + 1), cnp.NPY_FLOAT16]
}


cdef bint is_floating(int type_number):
    return (
        type_number == cnp.NPY_FLOAT32
        or type_number == cnp.NPY_FLOAT64
        or type_number == cnp.NPY_FLOAT16
        or type_number == bfloat16_number
    )


cdef int type_number_of(PyObject* value):
    """Return the number of the type of an array or a number, or NOT_SERVED."""
    if cnp.PyArray_CheckExact(<object>value):
        return cnp.PyArray_TYPE(<cnp.ndarray>value)
    if PyFloat_CheckExact(value) or PyLong_CheckExact(value):
        return WEAK
    return type_number_of_scalar(value)


cdef int type_number_of_scalar(PyObject* value):
    """Return the number of the type of a scalar of NumPy, or NOT_SERVED.

    Types of others are not looked up: they may have no hash, or one that runs any code.
    """
    if not cnp.PyArray_CheckScalar(<object>value):
        return NOT_SERVED
    return scalar_types.get(type(<object>value), NOT_SERVED)


cdef bint read_operands(FastPath verb, PyObject** args, Operands* operands):
    """Find the type and the size of the operands; return whether they have one type, a served one."""
    cdef bint has_weak_float = False
    cdef bint has_weak_integer = False
    cdef int i, number
    operands.type_number = WEAK
    operands.dimensions = 0
    operands.size = 1
    for i in range(verb.n_inputs):
        number = type_number_of(args[i])
        if number == WEAK:
            has_weak_float |= PyFloat_CheckExact(args[i])
            has_weak_integer |= PyLong_CheckExact(args[i])
            continue
        if operands.type_number != WEAK and operands.type_number != number:
            return False
        operands.type_number = number
        if cnp.PyArray_CheckExact(<object>args[i]):
            operands.dimensions = max(operands.dimensions, cnp.PyArray_NDIM(<cnp.ndarray>args[i]))
            operands.size = max(operands.size, cnp.PyArray_SIZE(<cnp.ndarray>args[i]))
    number = operands.type_number
    if is_floating(number) or (number == WEAK and not (has_weak_integer and verb.keeps_integers)):
        return True
    if verb.keeps_integers:  # and there is no float, or the promotion is Python's
        if number == WEAK:
            operands.type_number = number = cnp.NPY_INTP
        return verb.integer_row >= 0 and is_integer(number) and not has_weak_float
    # NumPy chooses the loop; with a gradient, the promotion is Python's.
    return (is_integer(number) or number == <int>cnp.NPY_BOOL) and verb.n_inputs == 1


cdef bint has_loops(FastPath verb, Loops* loops, int type_number, bint is_fast):
    if verb.keeps_integers and is_integer(type_number):
        return True
    if type_number == cnp.NPY_FLOAT32:
        return (loops.single_fast if is_fast else loops.single) != NULL
    if is_floating(type_number) or type_number == WEAK:
        return loops.double != NULL
    return loops.single_fast != NULL and loops.single != NULL and loops.double != NULL


cdef bint wants_table(FastPath verb, Loops* loops, int type_number, Py_ssize_t size, bint has_defaults):
    """Whether a table of 16 bits would pay now: the general way makes it, or has it already."""
    cdef int i
    if type_number != cnp.NPY_FLOAT16 and (type_number != bfloat16_number or type_number < 0):
        return False
    if not has_defaults:
        return size >= WORTH_A_TABLE
    for i in range(TABLES):
        if loops.tables[i] != NULL and loops.table_types[i] == type_number:
            return False
    loops.computed += size + 16
    return loops.computed >= WORTH_A_TABLE


cdef bint is_bool_of_float(FastPath verb, PyObject* value):
    """Whether it is an array of bool that becomes float16, where integers remain integers."""
    if not cnp.PyArray_CheckExact(<object>value) or verb.n_inputs != 1 or not verb.keeps_integers:
        return False
    return cnp.PyArray_TYPE(<cnp.ndarray>value) == cnp.NPY_BOOL and not verb.row.keeps_bool


cdef object call_ufunc(FastPath verb, PyObject** args, Py_ssize_t n_args, PyObject* kwnames):
    """Return the results for what is not plain, or None where only Python knows what to do."""
    cdef Call call
    cdef Operands operands
    cdef PyObject* vector[3 * MAX_OPERANDS]
    cdef list kept = []
    cdef object parameter, number
    cdef int i, n
    cdef int threads_before
    if verb.n_inputs == 0:
        if verb.kernel is None or n_args > verb.n_positional or verb.single_products != NULL:
            return None
        return call_ufunc(verb.kernel, args, n_args, kwnames)
    if n_args == 1 and kwnames == NULL and is_bool_of_float(verb, args[0]):
        halves = (<object>args[0]).astype("float16")
        vector[0] = <PyObject*>halves
        return call_ufunc(verb, vector, 1, NULL)
    if n_args < verb.n_inputs or not read_operands(verb, args, &operands):
        return None
    if not read_call(verb, args, n_args, kwnames, operands.type_number, operands.dimensions, &call):
        return None
    cdef bint is_fast = call.choice.precision == FAST
    if not has_loops(verb, call.loops, operands.type_number, is_fast and call.has_defaults):
        return None
    if operands.dimensions == 0 and call.out == Py_None:
        result = call_on_numbers(verb, args, &call, operands.type_number)
        if result is not None:
            return result
    if wants_table(verb, call.loops, operands.type_number, operands.size, call.has_defaults):
        return None
    if operands.size >= 2 * min(verb.chunk, LONGEST_CHUNK) or verb.n_inputs == 1:
        result = call_on_grid(verb, args, &call, operands.type_number, operands.dimensions)
        if result is not None:
            return result
    for i in range(verb.n_inputs):
        vector[i] = args[i]
        if type_number_of(args[i]) == WEAK and is_floating(operands.type_number):
            number = as_scalar(args[i], operands.type_number)
            if number is None:
                return None
            kept.append(number)
            vector[i] = <PyObject*>number
    n = verb.n_inputs
    for i in range(verb.n_parameters):
        parameter = <object>PyFloat_FromDouble(call.parameters[i])
        kept.append(parameter)
        vector[n] = <PyObject*>parameter
        n += 1
    if call.out != Py_None:
        if verb.n_outputs != 1 or not cnp.PyArray_CheckExact(<object>call.out):
            return None
        # Casts may overflow, of which nobody is to be warned; and integers have their own types.
        if cnp.PyArray_TYPE(<cnp.ndarray>call.out) != operands.type_number:
            return None
        if not (is_floating(operands.type_number) or verb.keeps_integers):
            return None
        vector[n] = call.out
        n += 1
    ufunc = ufunc_of(verb, 0 if call.loops == &verb.loops[0] else 1, is_fast)
    threads_before = swap_threads(call.choice.num_threads)
    try:
        result = PyObject_Vectorcall(ufunc, vector, n, NULL)
    except (TypeError, ValueError, OverflowError):
        return checked(None)  # the general way finds the error again, and says more about it
    finally:
        swap_threads(threads_before)
    return checked(result)


cdef object call_on_numbers(FastPath verb, PyObject** args, Call* call, int type_number):
    """Return the results for numbers and arrays of no dimensions: scalars of NumPy; or None."""
    cdef Job job
    cdef double memory[2 * MAX_OPERANDS][BLOCK]
    cdef int i
    if type_number == WEAK:
        type_number = cnp.NPY_FLOAT64
    choose_loop(&job, verb, call, type_number)
    if job.loop == NULL:
        return None
    for i in range(verb.n_inputs):
        job.inputs[i] = memory[i]
        memset(memory[i], 0, sizeof(memory[i]))
        if not read_scalar(args[i], type_number, memory[i]):
            return None
    for i in range(verb.n_outputs):
        job.outputs[i] = memory[MAX_OPERANDS + i]
    job.loop(job.inputs, job.outputs, 1, job.parameters)
    descr = cnp.PyArray_DescrFromType(type_number)
    first = PyArray_Scalar(job.outputs[0], descr, NULL)
    return first if verb.n_outputs == 1 else (first, PyArray_Scalar(job.outputs[1], descr, NULL))


cdef object as_scalar(PyObject* value, int type_number):
    """Return a Python number as a scalar of this type, without a warning of overflow; or None."""
    cdef double memory
    if not read_scalar(value, type_number, &memory):
        return None
    return PyArray_Scalar(&memory, cnp.PyArray_DescrFromType(type_number), NULL)


cdef bint read_scalar(PyObject* value, int type_number, void* memory) except -1:
    """Write a number as one of the type to memory, and return whether that was possible."""
    cdef double number
    cdef int overflow = 0
    if cnp.PyArray_CheckExact(<object>value):
        if not cnp.PyArray_ISBEHAVED_RO(<cnp.ndarray>value):
            return False
        memcpy(memory, cnp.PyArray_DATA(<cnp.ndarray>value), cnp.PyArray_ITEMSIZE(<cnp.ndarray>value))
        return True
    if not (PyFloat_CheckExact(value) or PyLong_CheckExact(value)):
        cnp.PyArray_ScalarAsCtype(<object>value, memory)
        return True
    if type_number == cnp.NPY_INTP and PyLong_CheckExact(value):
        (<long long*>memory)[0] = PyLong_AsLongLongAndOverflow(value, &overflow)
        return not overflow and sizeof(Py_ssize_t) == sizeof(long long)
    if not read_number(value, 0, &number):
        return False
    if type_number == cnp.NPY_FLOAT64:
        (<double*>memory)[0] = number
    elif type_number == cnp.NPY_FLOAT32:
        (<float*>memory)[0] = <float>number
    else:
        return False
    return True


def get_ufunc(FastPath verb, int backend, bint is_fast, int num_threads):
    """Return a function that calls the ufunc of a verb, whose loops there must be, on threads."""
    ufunc = ufunc_of(verb, backend, is_fast)

    def call(*args, **kwargs):
        threads_before = swap_threads(num_threads)
        try:
            results = ufunc(*args, **kwargs)
        finally:
            swap_threads(threads_before)
        return checked(results)

    return call


def make_ufunc(FastPath verb, int backend, bint is_fast):
    """Return the ufunc of a verb, whose loops there must be."""
    return ufunc_of(verb, backend, is_fast)


cdef object ufunc_of(FastPath verb, int backend, bint is_fast):
    cdef int index = 2 * backend + is_fast
    if verb.ufuncs[index] is None:
        verb.ufuncs[index] = new_ufunc(verb, backend, is_fast)
    return verb.ufuncs[index]


cdef int swap_threads(int num_threads) noexcept:
    global threads_of_call
    cdef int before = threads_of_call
    threads_of_call = num_threads
    return before
