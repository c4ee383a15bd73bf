"""The compiled fast path, and the driver of compiled loops: blocks, slices, threads.

``FastPath`` stands before the general driver (``fastact/dispatch.py``): it serves the common call,
native C-contiguous float32 or float64 arrays of one shape, and hands everything else on. It takes
no decision of its own, so results are the same. A loop is known by its address; the Cython ones are
in ``fastact/cython_backend``; any backend whose loops have that signature runs here.
"""

cimport numpy as cnp
from cpython.mem cimport PyMem_RawMalloc
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact, PyUnicode_Compare
from libc.math cimport fabs
from libc.stdlib cimport labs
from libc.string cimport memcpy, memset

from fastact.driver._memory cimport POOL_THRESHOLD, new_array

from numpy import may_share_memory

cnp.import_array()

cdef enum:
    MAX_OPERANDS = 8
    BLOCK = 16  # elements of a block, the unit of a loop: as in tools/generate_cython.py
    TILE_BYTES = 1024
    TABLES = 2  # float16 and bfloat16
    PAIRS = 64  # elements with two results at a time
    BACKENDS = 2  # that have compiled loops: Cython 0, Numba 1
    WORTH_A_TABLE = 1 << 14  # elements of 16 bits: as in fastact/tables.py

cdef extern from *:
    """
    /* Chunks are half as long as threads.h expects. */
    #define FASTACT_CHUNKS_WORTH_WAKING 20
    """

cdef extern from "threads.h":
    ctypedef void (*task_type "fastact_task")(void* context, Py_ssize_t chunk) noexcept nogil
    void run_parallel "fastact_run_parallel"(
        task_type task, void* context, Py_ssize_t chunks, int num_threads
    ) noexcept nogil
    bint threads_available "fastact_threads_available"() noexcept nogil
    int existing_threads "fastact_existing_threads"() noexcept nogil

cdef extern from "floating_point.h":
    ctypedef struct environment_type "fastact_environment":
        pass
    void get_environment "fastact_get_environment"(environment_type* environment) noexcept nogil
    void set_environment "fastact_set_environment"(const environment_type* environment) noexcept nogil
    void set_default_environment "fastact_set_default_environment"() noexcept nogil

cdef extern from "streaming.h":
    size_t streaming_bytes "fastact_streaming_bytes"() noexcept nogil
    void stream "fastact_stream"(void* to, const void* source, size_t size) noexcept nogil
    void end_streaming "fastact_end_streaming"() noexcept nogil

cdef extern from *:
    """
    #ifdef __VERSION__
    #define FASTACT_COMPILER __VERSION__
    #else
    #define FASTACT_COMPILER "unknown"
    #endif
    #define FASTACT_TEXT(x) #x
    #define FASTACT_HEX(x) FASTACT_TEXT(x)
    #define FASTACT_CYTHON FASTACT_HEX(CYTHON_HEX_VERSION)

    /* The features that setup.py compiles each level for, no more: so no instruction is illegal. */
    #if defined(__x86_64__) && defined(__GNUC__)
    #include <cpuid.h>
    /* gcc before 11 does not know "f16c". What the system must do for it, it does for AVX2. */
    static int fastact_has_f16c(void)
    {
        unsigned int a, b, c, d;
        return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
    }
    static int fastact_has_v3(void)
    {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
            && fastact_has_f16c();
    }
    static int fastact_has_v4(void)
    {
        return fastact_has_v3() && __builtin_cpu_supports("avx512f")
            && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    }
    #else
    static int fastact_has_v3(void) { return 0; }
    static int fastact_has_v4(void) { return 0; }
    #endif

    /* PyArray_Empty without looking up the type once more. */
    static PyObject *fastact_new_plain(PyArrayObject *array)
    {
        PyArray_Descr *descr = PyArray_DESCR(array);
        Py_INCREF(descr);
        return PyArray_NewFromDescr(&PyArray_Type, descr, PyArray_NDIM(array), PyArray_DIMS(array),
                                    NULL, NULL, 0, NULL);
    }

    /* Have instances of `type` called through the function pointer at `offset`. A Python subclass
       needs it again: it takes its slots from the __call__ that it finds. */
    static void fastact_enable_vectorcall(PyTypeObject *type, Py_ssize_t offset)
    {
        type->tp_vectorcall_offset = offset;
        type->tp_call = PyVectorcall_Call;
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        PyType_Modified(type);
    }
    """
    const char* FASTACT_COMPILER
    const char* FASTACT_CYTHON
    bint has_v3 "fastact_has_v3"() noexcept nogil
    bint has_v4 "fastact_has_v4"() noexcept nogil
    cnp.ndarray new_plain "fastact_new_plain"(cnp.ndarray array)
    void enable_vectorcall "fastact_enable_vectorcall"(type subclass, Py_ssize_t offset)

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1
    int PyContextVar_Get(object var, PyObject* default, PyObject** value) except -1
    PyObject* PyContextVar_Set(object var, object value) except NULL
    void Py_INCREF(object)
    void Py_DECREF(PyObject*)
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t)
    PyObject* PyList_GET_ITEM(list, Py_ssize_t)
    Py_ssize_t PyTuple_GET_SIZE(PyObject*)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    long PyLong_AsLong(PyObject*) except? -1
    bint PyFloat_CheckExact(PyObject*)
    double PyFloat_AS_DOUBLE(PyObject*)
    object PyFloat_FromDouble(double)
    bint PyLong_CheckExact(PyObject*)
    long long PyLong_AsLongLongAndOverflow(PyObject*, int* overflow) except? -1
    PyObject* Py_None
    object PyObject_Vectorcall(object callable, PyObject** args, size_t nargsf, PyObject* kwnames)

ctypedef void (*loop_type)(void**, void**, Py_ssize_t, double*) noexcept nogil
# Adds products of g and x to sums, one for each column: (g, x, rows, columns, row_length, sums).
ctypedef void (*products_type)(void*, void*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*) noexcept nogil
ctypedef object (*vectorcall_type)(FastPath, PyObject**, size_t, PyObject*)

cdef extern from "integers.h":
    loop_type find_integer_loop "fastact_find_integer_loop"(
        int row, int verb, int size, int is_unsigned
    ) noexcept nogil

cdef int* INTEGER_SIZES = [sizeof(char), sizeof(short), sizeof(int), sizeof(long), sizeof(long long)]
# The rows and the verbs of integers.h, in its order.
INTEGER_ROWS = ("identity", "relu", "relu6")
INTEGER_VERBS = ("forward", "grad", "backward", "backward_from_output", "value_and_grad")

# --- thresholds: see set_thresholds --------------------------------------------------------------

# An array below this many bytes is computed without releasing the GIL: doing so would cost more.
cdef Py_ssize_t GIL_BYTES = 1 << 15
# Inputs and output together, from which stores past the caches pay.
cdef Py_ssize_t STREAMING_BYTES = streaming_bytes()
# The same for look-ups in a table, which are slower than the last-level cache. On a Xeon (Sapphire
# Rapids), streaming costs 15% at 32 MiB and halves the time at 64 MiB.
cdef Py_ssize_t TABLE_STREAMING_BYTES = 1 << 26
# A slice of fewer elements is neither brought to a cache line nor streamed.
cdef Py_ssize_t WORTH_ALIGNING = 4096
# An upper limit for the chunks that callers ask for, in elements: a multiple of 64.
cdef Py_ssize_t LONGEST_CHUNK = 1 << 40
# Chunks of about 10 us each, after which a long call handles signals: every 20 ms or later.
cdef Py_ssize_t CHUNKS_BETWEEN_SIGNALS = 1 << 11


cdef int check_threshold(str name, value, Py_ssize_t most, Py_ssize_t unit) except -1:
    if not unit <= value <= most or value % unit:
        raise ValueError(
            f"set_thresholds: {name} must be a multiple of {unit} from {unit} to {most}, got {value}"
        )
    return 0


def set_thresholds(**changes):
    """Change thresholds of the driver, and return the values of all of them before the change.

    Results do not depend on them. Tests make them small, so that small arrays reach every path.
    """
    global GIL_BYTES, STREAMING_BYTES, TABLE_STREAMING_BYTES, WORTH_ALIGNING, LONGEST_CHUNK
    global CHUNKS_BETWEEN_SIGNALS
    before = {
        "gil_bytes": GIL_BYTES,
        "streaming_bytes": STREAMING_BYTES,
        "table_streaming_bytes": TABLE_STREAMING_BYTES,
        "worth_aligning": WORTH_ALIGNING,
        "longest_chunk": LONGEST_CHUNK,
        "chunks_between_signals": CHUNKS_BETWEEN_SIGNALS,
    }
    unknown = changes.keys() - before.keys()
    if unknown:
        raise TypeError(f"set_thresholds: got unexpected keyword arguments {sorted(unknown)}")
    after = before | changes
    # Their product is a number of elements, far from overflow.
    check_threshold("longest_chunk", after["longest_chunk"], 1 << 40, 64)
    check_threshold("chunks_between_signals", after["chunks_between_signals"], 1 << 20, 1)
    GIL_BYTES = after["gil_bytes"]
    STREAMING_BYTES = after["streaming_bytes"]
    TABLE_STREAMING_BYTES = after["table_streaming_bytes"]
    WORTH_ALIGNING = after["worth_aligning"]
    LONGEST_CHUNK = after["longest_chunk"]
    CHUNKS_BETWEEN_SIGNALS = after["chunks_between_signals"]
    return before


# --- settings: written by fastact.config, read here without a call into Python -------------------
#
# The names in settings are compared as objects: fastact.config has one object for each.

cdef object block_settings = None  # a context variable; its value is a tuple
cdef list process_settings = None  # backend, number of threads, precision
cdef PyObject* AUTO = NULL
cdef PyObject* NAMES[BACKENDS]
cdef PyObject* FAST = NULL
cdef PyObject* FAITHFUL = NULL
cdef PyObject* OUT = NULL
cdef PyObject* BACKEND = NULL
cdef PyObject* PRECISION = NULL
keep_alive = []


cdef PyObject* kept(object value):
    keep_alive.append(value)
    return <PyObject*>value


def connect_settings(context_variable, settings, backends, precisions, keywords):
    """Set where the settings are stored, and which objects are their values and keywords.

    ``context_variable`` holds the settings of a block, a tuple that begins with them and has None
    for those that the block does not change, and ``settings`` is the list of the settings of the process.

    ``backends`` are "auto", "cython", "numba"; ``precisions`` are "fast", "faithful"; ``keywords``
    are "out", "backend", "precision".
    """
    global block_settings, process_settings, AUTO, FAST, FAITHFUL, OUT, BACKEND, PRECISION
    block_settings = context_variable
    process_settings = settings
    AUTO, NAMES[0], NAMES[1] = kept(backends[0]), kept(backends[1]), kept(backends[2])
    FAST, FAITHFUL = kept(precisions[0]), kept(precisions[1])
    OUT, BACKEND, PRECISION = kept(keywords[0]), kept(keywords[1]), kept(keywords[2])


cdef struct Choice:
    PyObject* backend
    PyObject* precision
    int num_threads


cdef Choice settings_here() except *:
    """Return the settings in force: those of the block, where it has them, or of the process."""
    cdef Choice choice
    cdef PyObject* block
    # Borrowed references are enough: the names are kept, and the number is read at once.
    choice.backend = PyList_GET_ITEM(process_settings, 0)
    choice.num_threads = <int>PyLong_AsLong(PyList_GET_ITEM(process_settings, 1))
    choice.precision = PyList_GET_ITEM(process_settings, 2)
    PyContextVar_Get(block_settings, NULL, &block)
    if block == NULL:
        return choice
    if PyTuple_GET_ITEM(block, 0) != Py_None:
        choice.backend = PyTuple_GET_ITEM(block, 0)
    if PyTuple_GET_ITEM(block, 1) != Py_None:
        choice.num_threads = <int>PyLong_AsLong(PyTuple_GET_ITEM(block, 1))
    if PyTuple_GET_ITEM(block, 2) != Py_None:
        choice.precision = PyTuple_GET_ITEM(block, 2)
    Py_DECREF(block)
    return choice


cdef class Block:
    """A block with a setting of its own: the context manager behind ``fastact.use_threads``.

    The value of the context variable is a tuple: the settings of the block, and the innermost of
    the blocks that this thread or task is in, as (manager, value to restore, block around it).
    """

    cdef readonly str caller
    cdef int index
    cdef object value

    def __init__(self, str caller, int index, value):
        if not 0 <= index < 3:
            raise ValueError(f"Block: index must be from 0 to 2, got {index}")
        self.caller, self.index, self.value = caller, index, value

    def __enter__(self):
        cdef tuple block = block_here()
        innermost = (self, block[self.index], block[3])
        set_block(with_item(block, self.index, self.value), innermost)

    def __exit__(self, *exception):
        cdef tuple block = block_here()
        cdef list others = []  # blocks that were entered later, and have not been left in order
        innermost = block[3]
        while innermost is not None and innermost[0] is not self:
            others.append(innermost)
            innermost = innermost[2]
        if innermost is None:  # entered in another thread or task, which this block is not in
            return
        outer = innermost[2]
        for other in reversed(others):
            outer = (other[0], other[1], outer)
        set_block(with_item(block, self.index, innermost[1]), outer)


cdef tuple block_here():
    cdef PyObject* found
    PyContextVar_Get(block_settings, NULL, &found)
    if found == NULL:
        return (None, None, None, None)
    block = <object>found
    Py_DECREF(found)
    return block


cdef tuple with_item(tuple block, int index, value):
    return (
        value if index == 0 else block[0],
        value if index == 1 else block[1],
        value if index == 2 else block[2],
    )


cdef int set_block(tuple settings, innermost) except -1:
    Py_DECREF(PyContextVar_Set(block_settings, (settings[0], settings[1], settings[2], innermost)))
    return 0


cdef PyObject* own_name(PyObject* value) except NULL:
    """Return the object that stands for a name in settings, or what was given: some other value."""
    cdef PyObject** names = [AUTO, NAMES[0], NAMES[1], FAST, FAITHFUL]
    cdef int i
    for i in range(5):
        if value == names[i]:
            return value
    if PyUnicode_CheckExact(<object>value):  # a string made at run time
        for i in range(5):
            if PyUnicode_Compare(<object>value, <object>names[i]) == 0:
                return names[i]
    return value


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
    Py_ssize_t chunk  # elements
    bint streaming
    double* parameters


cdef void run_blocks(Job* job, Py_ssize_t begin, Py_ssize_t blocks) noexcept nogil:
    cdef void* inputs[MAX_OPERANDS]
    cdef void* outputs[MAX_OPERANDS]
    cdef int i
    for i in range(job.n_inputs):
        inputs[i] = <char*>job.inputs[i] + begin * job.input_sizes[i]
    for i in range(job.n_outputs):
        outputs[i] = <char*>job.outputs[i] + begin * job.output_sizes[i]
    job.loop(inputs, outputs, blocks, job.parameters)


cdef void run_part_of_block(Job* job, Py_ssize_t begin, Py_ssize_t count) noexcept nogil:
    """Run the loop over one block of which only the first ``count`` elements exist."""
    cdef double scratch[2 * MAX_OPERANDS][BLOCK]  # aligned for every dtype
    cdef void* inputs[MAX_OPERANDS]
    cdef void* outputs[MAX_OPERANDS]
    cdef int i
    cdef Py_ssize_t size
    for i in range(job.n_inputs):
        size = job.input_sizes[i]
        inputs[i] = scratch[i]
        memset(scratch[i], 0, sizeof(scratch[i]))
        memcpy(scratch[i], <char*>job.inputs[i] + begin * size, count * size)
    for i in range(job.n_outputs):
        outputs[i] = scratch[MAX_OPERANDS + i]
    job.loop(inputs, outputs, 1, job.parameters)
    for i in range(job.n_outputs):
        size = job.output_sizes[i]
        memcpy(<char*>job.outputs[i] + begin * size, outputs[i], count * size)


cdef void run_slice(Job* job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    if end - begin >= WORTH_ALIGNING:
        begin = run_to_cache_line(job, begin, end)
        if job.streaming:
            begin = run_streaming(job, begin, end)
    run_elements(job, begin, end)


cdef void run_elements(Job* job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t blocks = (end - begin) // BLOCK
    if blocks:
        run_blocks(job, begin, blocks)
    begin = begin + blocks * BLOCK
    if begin < end:
        run_part_of_block(job, begin, end - begin)


cdef Py_ssize_t run_to_cache_line(Job* job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Run the loop up to the next cache line of the first output; return the new beginning.

    Arrays from malloc begin in the middle of one, and then every vector store would cross two.
    """
    cdef Py_ssize_t size = job.output_sizes[0]
    cdef size_t address = <size_t>job.outputs[0] + begin * size
    cdef Py_ssize_t head = min(<Py_ssize_t>(-address & 63) // size, end - begin)
    run_elements(job, begin, begin + head)
    return begin + head


cdef Py_ssize_t run_streaming(Job* job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Run the loop over whole tiles, storing past the caches; return the new beginning.

    The loop writes to a tile in the first-level cache, which is then streamed to the output. A tile
    is short, so that its stores are under way while the next is computed: 4 KiB takes up to 1.2
    times as long, for relu.backward at 64 MiB.
    """
    cdef char unaligned[TILE_BYTES + 64]
    cdef char* tile = <char*>((<size_t>unaligned + 63) & ~<size_t>63)
    cdef void* inputs[MAX_OPERANDS]
    cdef void* output = tile
    cdef Py_ssize_t size = job.output_sizes[0]
    cdef Py_ssize_t length = TILE_BYTES // size
    cdef char* target = <char*>job.outputs[0]
    cdef int i
    while end - begin >= length:
        for i in range(job.n_inputs):
            inputs[i] = <char*>job.inputs[i] + begin * job.input_sizes[i]
        job.loop(inputs, &output, length // BLOCK, job.parameters)
        stream(target + begin * size, tile, TILE_BYTES)
        begin = begin + length
    end_streaming()
    return begin


cdef inline bint pays_to_stream(Job* job, Py_ssize_t least) noexcept nogil:
    cdef int i
    cdef Py_ssize_t element_bytes = job.output_sizes[0]
    for i in range(job.n_inputs):
        if job.inputs[i] == job.outputs[0]:
            return False  # what is written is in the caches already
        element_bytes += job.input_sizes[i]
    return job.n_outputs == 1 and job.n * element_bytes >= least


cdef void run_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef Job* job = <Job*>context
    cdef Py_ssize_t begin = chunk * job.chunk
    run_slice(job, begin, min(begin + job.chunk, job.n))


cdef struct Series:
    task_type task
    void* context
    Py_ssize_t first  # chunk of those that run at present


cdef void run_chunk_of_series(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef Series* series = <Series*>context
    series.task(series.context, series.first + chunk)


cdef int run_chunks(
    task_type task, void* context, Py_ssize_t chunks, Py_ssize_t chunks_at_once, int num_threads
) except -1:
    """Run a task without the GIL on up to ``num_threads`` threads, which claim chunks in turn.

    Signals are handled after each ``chunks_at_once`` chunks, so a long call may end with
    KeyboardInterrupt.
    """
    cdef Series series
    cdef Py_ssize_t count
    series.task = task
    series.context = context
    series.first = 0
    while True:
        count = min(chunks_at_once, chunks - series.first)
        with nogil:
            if num_threads > 1 and count > 1:
                run_parallel(run_chunk_of_series, &series, count, num_threads)
            else:
                run_in_order(run_chunk_of_series, &series, count)
        series.first = series.first + count
        if series.first >= chunks:
            return 0
        PyErr_CheckSignals()


cdef void run_in_order(task_type task, void* context, Py_ssize_t chunks) noexcept nogil:
    cdef Py_ssize_t chunk
    for chunk in range(chunks):
        task(context, chunk)


cdef int run(Job* job, int num_threads) except -1:
    if job.n * job.input_sizes[0] < GIL_BYTES:
        run_slice(job, 0, job.n)
        return 0
    job.chunk = min(job.chunk, LONGEST_CHUNK)
    cdef Py_ssize_t chunks_at_once = CHUNKS_BETWEEN_SIGNALS
    cdef Py_ssize_t chunks
    if num_threads < 2 or job.n < 2 * job.chunk:
        job.chunk = job.chunk * CHUNKS_BETWEEN_SIGNALS
        chunks_at_once = 1
    else:
        # The same number for each thread, or the last to claim one would keep the others waiting.
        chunks = (job.n + job.chunk - 1) // job.chunk
        chunks = (chunks + num_threads - 1) // num_threads * num_threads
        job.chunk = ((job.n + chunks - 1) // chunks + 63) // 64 * 64
    chunks = (job.n + job.chunk - 1) // job.chunk
    return run_chunks(run_chunk, job, chunks, chunks_at_once, num_threads)


cdef int set_operands(Job* job, inputs, outputs) except -1:
    """Set the arrays of a job, and check what its loop relies on.

    There is room for one more input: the parameters that all rows share.
    """
    if not (0 < len(inputs) < MAX_OPERANDS and 0 < len(outputs) < MAX_OPERANDS):
        raise ValueError(
            f"driver: expected 1 to {MAX_OPERANDS - 1} inputs and outputs, "
            f"got {len(inputs)} and {len(outputs)}"
        )
    job.n_inputs = len(inputs)
    job.n_outputs = len(outputs)
    job.n = cnp.PyArray_SIZE(outputs[0])
    for i, array in enumerate(inputs):
        check_operand(array, job.n)
        job.inputs[i] = cnp.PyArray_DATA(array)
        job.input_sizes[i] = cnp.PyArray_ITEMSIZE(array)
    for i, array in enumerate(outputs):
        check_operand(array, job.n)
        job.outputs[i] = cnp.PyArray_DATA(array)
        job.output_sizes[i] = cnp.PyArray_ITEMSIZE(array)
    return 0


cdef int check_operand(cnp.ndarray array, Py_ssize_t n) except -1:
    if not (cnp.PyArray_IS_C_CONTIGUOUS(array) and cnp.PyArray_ISBEHAVED_RO(array)):
        raise ValueError("driver: operands must be contiguous, aligned and of native byte order")
    if cnp.PyArray_SIZE(array) != n:
        raise ValueError(
            f"driver: operands must have {n} elements as the output, got {cnp.PyArray_SIZE(array)}"
        )
    return 0


cdef int check_chunk(Py_ssize_t chunk) except -1:
    if chunk < 1:
        raise ValueError(f"driver: a chunk must have at least 1 element, got {chunk}")
    return 0


cdef int check_types(arrays) except -1:
    cdef int type_number = cnp.PyArray_TYPE(arrays[0])
    for array in arrays:
        if cnp.PyArray_TYPE(array) != type_number:
            raise ValueError(f"driver: operands must have one dtype, got {[a.dtype for a in arrays]}")
    return 0


cdef int check_address(size_t address) except -1:
    if address == 0:
        raise ValueError("driver: expected the address of a loop, got 0")
    return 0


def execute(
    size_t address, inputs, outputs, parameters, int num_threads, Py_ssize_t chunk,
    bint is_bound_by_memory,
):
    """Run the loop at ``address`` over contiguous one-dimensional arrays of equal length.

    ``inputs`` ends with the arrays of the parameters if the loop is a broadcast one; then
    ``parameters`` is empty. If it is an array of doubles, the loop gets that itself. ``chunk`` is
    a multiple of 64 elements: no cache line has two writers.
    """
    cdef Job job
    cdef double values[MAX_OPERANDS]
    cdef int i
    check_address(address)
    check_chunk(chunk)
    set_operands(&job, inputs, outputs)
    if isinstance(parameters, cnp.ndarray):
        job.parameters = <double*>cnp.PyArray_DATA(parameters)
    else:
        job.parameters = values
        for i, value in enumerate(parameters[:MAX_OPERANDS]):
            values[i] = value
    job.loop = <loop_type>address
    job.chunk = chunk
    cdef Py_ssize_t least = STREAMING_BYTES if job.parameters == values else TABLE_STREAMING_BYTES
    job.streaming = is_bound_by_memory and pays_to_stream(&job, least)
    run(&job, num_threads)


cdef struct Rows:
    Job* job
    Py_ssize_t length  # elements of a row; the last may have fewer
    Py_ssize_t n_rows
    Py_ssize_t rows_in_chunk  # 1 where a row has several parts
    Py_ssize_t parts  # of a row; each is a chunk
    Py_ssize_t part_length
    Py_ssize_t turn  # number of parameters that rows take in turn
    int n_arrays  # inputs that go on from row to row


cdef void run_row(Rows* rows, Py_ssize_t index, Py_ssize_t part) noexcept nogil:
    cdef Job job = rows.job[0]
    cdef Py_ssize_t begin = index * rows.length
    cdef Py_ssize_t first = part * rows.part_length
    cdef Py_ssize_t end = min(first + rows.part_length, min(rows.length, job.n - begin))
    cdef int i
    for i in range(rows.n_arrays):
        job.inputs[i] = <char*>job.inputs[i] + begin * job.input_sizes[i]
    for i in range(job.n_outputs):
        job.outputs[i] = <char*>job.outputs[i] + begin * job.output_sizes[i]
    job.parameters = job.parameters + index % rows.turn
    if first < end:
        run_slice(&job, first, end)


cdef void run_rows(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef Rows* rows = <Rows*>context
    cdef Py_ssize_t first = chunk // rows.parts * rows.rows_in_chunk
    cdef Py_ssize_t index
    for index in range(first, min(first + rows.rows_in_chunk, rows.n_rows)):
        run_row(rows, index, chunk % rows.parts)


def execute_rows(
    size_t address, inputs, outputs, cnp.ndarray parameters, Py_ssize_t length, int num_threads,
    Py_ssize_t chunk, bint is_bound_by_memory, bint is_broadcast,
):
    """Run the loop at ``address`` over the rows of contiguous arrays, of ``length`` elements each.

    Rows take the ``parameters``, doubles, in turn; if it is a broadcast loop, each row takes all
    of them, one for each element.
    """
    cdef Job job
    cdef Rows rows
    check_address(address)
    check_chunk(chunk)
    set_operands(&job, inputs, outputs)
    check_types([*inputs, *outputs])
    if length < 1 or cnp.PyArray_SIZE(parameters) < 1:
        raise ValueError("driver: rows must have elements and parameters")
    if is_broadcast and cnp.PyArray_SIZE(parameters) != length:
        raise ValueError(
            f"driver: expected {length} parameters, one for each element of a row, "
            f"got {cnp.PyArray_SIZE(parameters)}"
        )
    check_operand(parameters, cnp.PyArray_SIZE(parameters))
    job.parameters = <double*>cnp.PyArray_DATA(parameters)
    job.loop = <loop_type>address
    job.streaming = is_bound_by_memory and pays_to_stream(&job, STREAMING_BYTES)
    chunk = min(chunk, LONGEST_CHUNK)
    rows.job = &job
    rows.length = length
    rows.n_rows = (job.n + length - 1) // length
    rows.rows_in_chunk = max(chunk // length, <Py_ssize_t>1)
    rows.parts = max(length // chunk, <Py_ssize_t>1)
    rows.part_length = ((length + rows.parts - 1) // rows.parts + 63) // 64 * 64
    rows.turn = cnp.PyArray_SIZE(parameters)
    rows.n_arrays = job.n_inputs
    if is_broadcast:
        rows.turn = 1
        job.inputs[job.n_inputs] = cnp.PyArray_DATA(parameters)
        job.input_sizes[job.n_inputs] = sizeof(double)
        job.n_inputs = job.n_inputs + 1
    cdef Py_ssize_t chunks = (rows.n_rows + rows.rows_in_chunk - 1) // rows.rows_in_chunk * rows.parts
    if job.n * job.input_sizes[0] < GIL_BYTES:
        run_in_order(run_rows, &rows, chunks)
    else:
        run_chunks(run_rows, &rows, chunks, CHUNKS_BETWEEN_SIGNALS, num_threads)


# --- sums over channels --------------------------------------------------------------------------
#
# The gradient of slopes, one for each channel. Products are summed in columns side by side, as
# vectors; then the columns that belong together, in pairs. Units of work and the order of all
# additions follow from the shape alone, not from the number of threads.

cdef enum:
    RUN_COLUMNS = 128  # of elements of one channel
    JOINED_COLUMNS = 256  # of short rows, about so many together
    MOST_COLUMNS = 2048  # at a time
    UNIT_ROWS = 64  # of which the elements of a column are added one after another
    WORTH_A_RUN = 256  # elements in a row of one channel
    SUMS_CHUNK = 1 << 16  # elements that a thread claims at a time


cdef struct Sums:
    products_type add_products
    char* g
    char* x
    Py_ssize_t size  # bytes of an element
    Py_ssize_t run_length  # elements of a run, whose rows follow one another
    Py_ssize_t row_length
    Py_ssize_t columns  # of a unit
    Py_ssize_t period  # columns after which the channels begin again
    Py_ssize_t inner  # columns of a channel
    Py_ssize_t unit_rows_of_run
    Py_ssize_t units_of_row
    Py_ssize_t n_units
    Py_ssize_t units_in_chunk
    double* parts  # for each unit, the sums of its channels
    Py_ssize_t channels
    Py_ssize_t groups  # of parts: the first has the first parts of each channel, and so on
    Py_ssize_t parts_in_group  # of a channel
    void* sums
    bint sums_are_single


cdef void fold(double* sums, Py_ssize_t rows, Py_ssize_t columns) noexcept nogil:
    """Sum rows in pairs, into the first."""
    cdef Py_ssize_t i, kept
    while rows > 1:
        kept = (rows + 1) // 2
        for i in range((rows - kept) * columns):
            sums[i] += sums[i + kept * columns]
        rows = kept


cdef void sum_unit(Sums* job, Py_ssize_t unit) noexcept nogil:
    cdef double sums[MOST_COLUMNS]
    cdef Py_ssize_t unit_row = unit // job.units_of_row
    cdef Py_ssize_t column = unit % job.units_of_row * job.columns
    cdef Py_ssize_t run = unit_row // job.unit_rows_of_run
    cdef Py_ssize_t done = unit_row % job.unit_rows_of_run * UNIT_ROWS * job.row_length
    cdef Py_ssize_t begin = run * job.run_length + done + column
    cdef Py_ssize_t columns = min(job.columns, job.row_length - column)
    cdef Py_ssize_t rows = min((job.run_length - done) // job.row_length, <Py_ssize_t>UNIT_ROWS)
    # The last row of a run may be short, where one unit has all of its columns.
    cdef Py_ssize_t rest = min(job.run_length - done - rows * job.row_length, columns)
    cdef Py_ssize_t channel
    cdef double* parts = job.parts + unit_row * (job.period // job.inner) + column // job.inner
    memset(sums, 0, columns * sizeof(double))
    if rows == UNIT_ROWS:
        rest = 0
    cdef char* g = job.g + begin * job.size
    cdef char* x = job.x + begin * job.size
    cdef Py_ssize_t whole = rows * job.row_length * job.size
    job.add_products(g, x, rows, columns, job.row_length, sums)
    if rest:
        job.add_products(g + whole, x + whole, 1, rest, rest, sums)
    if columns > job.period:
        fold(sums, columns // job.period, job.period)
        columns = job.period
    for channel in range(columns // job.inner):
        fold(sums + channel * job.inner, job.inner, 1)
        parts[channel] = sums[channel * job.inner]


cdef void sum_units(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef Sums* job = <Sums*>context
    cdef Py_ssize_t first = chunk * job.units_in_chunk
    cdef Py_ssize_t unit
    for unit in range(first, min(first + job.units_in_chunk, job.n_units)):
        sum_unit(job, unit)


cdef double sum_of_parts(Sums* job, Py_ssize_t channel) noexcept nogil:
    """Sum the parts of a channel, and their rounding errors along (Knuth's two-sum)."""
    cdef double* parts = job.parts + channel * job.parts_in_group
    cdef double total = 0
    cdef double rest = 0
    cdef double before, added
    cdef Py_ssize_t i
    for _ in range(job.groups):
        for i in range(job.parts_in_group):
            before = total
            total = before + parts[i]
            added = total - before
            rest += (before - (total - added)) + (parts[i] - added)
        parts += job.channels * job.parts_in_group
    # Of infinite sums, the rest is NaN.
    return total + rest if rest - rest == 0 else total


cdef void write_sums(Sums* job) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(job.channels):
        if job.sums_are_single:
            (<float*>job.sums)[i] = <float>sum_of_parts(job, i)
        else:
            (<double*>job.sums)[i] = sum_of_parts(job, i)


cdef int sum_products(
    products_type add_products, cnp.ndarray g, cnp.ndarray x, Py_ssize_t channels, Py_ssize_t inner,
    int num_threads, cnp.ndarray result,
) except -1:
    """Write the sums over each channel: see ``sum_over_channels``."""
    cdef Sums job
    job.add_products = add_products
    job.g = <char*>cnp.PyArray_DATA(g)
    job.x = <char*>cnp.PyArray_DATA(x)
    job.size = cnp.PyArray_ITEMSIZE(x)
    job.channels = channels
    job.sums = cnp.PyArray_DATA(result)
    job.sums_are_single = cnp.PyArray_TYPE(result) == cnp.NPY_FLOAT32
    cdef Py_ssize_t n = cnp.PyArray_SIZE(x)
    if channels == 1 or inner >= WORTH_A_RUN:
        job.run_length = n if channels == 1 else inner
        job.row_length = job.columns = job.period = job.inner = RUN_COLUMNS
    else:
        job.run_length = n
        job.inner = inner
        job.period = channels * inner
        job.row_length = max(JOINED_COLUMNS // job.period, 1) * job.period
        job.columns = min(job.row_length, MOST_COLUMNS // inner * inner)
    job.units_of_row = (job.row_length - 1) // job.columns + 1
    job.unit_rows_of_run = (job.run_length - 1) // (job.row_length * UNIT_ROWS) + 1
    job.n_units = n // job.run_length * job.unit_rows_of_run * job.units_of_row
    job.units_in_chunk = max(SUMS_CHUNK // (job.columns * UNIT_ROWS), 1)
    cdef cnp.npy_intp n_parts = job.n_units // job.units_of_row * (job.period // job.inner)
    job.parts_in_group = 1 if job.run_length == n else job.unit_rows_of_run
    job.groups = n_parts // (channels * job.parts_in_group)
    cdef cnp.ndarray parts = cnp.PyArray_EMPTY(1, &n_parts, cnp.NPY_FLOAT64, 0)
    job.parts = <double*>cnp.PyArray_DATA(parts)
    cdef Py_ssize_t chunks = (job.n_units + job.units_in_chunk - 1) // job.units_in_chunk
    if cnp.PyArray_NBYTES(x) < GIL_BYTES:
        run_in_order(sum_units, &job, chunks)
    else:
        run_chunks(sum_units, &job, chunks, CHUNKS_BETWEEN_SIGNALS, num_threads)
    with nogil:
        write_sums(&job)
    return 0


def sum_over_channels(
    size_t address, cnp.ndarray g, cnp.ndarray x, Py_ssize_t channels, Py_ssize_t inner,
    int num_threads, cnp.ndarray result,
):
    """Write the sums over each channel of the products that the loop at ``address`` adds.

    ``g`` and ``x`` are contiguous, of the type of the loop, and of shape (any, channels, inner) or
    have as many elements, but not none; ``result`` is contiguous, float32 or float64.
    """
    cdef Py_ssize_t n = cnp.PyArray_SIZE(x)
    check_address(address)
    check_operand(g, n)
    check_operand(x, n)
    check_operand(result, channels)
    check_types([g, x])
    if n < 1 or channels < 1 or inner < 1 or n % (channels * inner):
        raise ValueError(f"driver: {n} elements are no rows of {channels} channels of {inner}")
    sum_products(<products_type>address, g, x, channels, inner, num_threads, result)


def build_information():
    """Return how the extension was compiled."""
    return {
        "built": True,
        "compiler": FASTACT_COMPILER.decode(),
        "threads": "pthreads" if threads_available() else "none: serial on this platform",
        "cython": FASTACT_CYTHON.decode(),
    }


def thread_count():
    """Return how many threads exist to compute on: the caller and the workers created so far."""
    return existing_threads()


def supported_levels():
    """Return the instruction-set levels that this processor has, the lowest first."""
    return ("baseline",) + ("v3",) * has_v3() + ("v4",) * has_v4()


cdef class DefaultFloatingPoint:
    """Context manager: compute in the default floating-point environment, whatever the caller's is.

    Nothing that is kept for later calls may depend on the rounding mode of the first caller, or on
    whether it flushes subnormal numbers to zero. Worker threads follow: see ``threads.h``.
    """

    cdef environment_type saved

    def __enter__(self):
        get_environment(&self.saved)
        set_default_environment()

    def __exit__(self, *exception):
        set_environment(&self.saved)


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


cdef inline bint overlap(cnp.ndarray a, cnp.ndarray b):
    """Whether two arrays of equal size share memory."""
    cdef char* start_a = <char*>cnp.PyArray_DATA(a)
    cdef char* start_b = <char*>cnp.PyArray_DATA(b)
    cdef Py_ssize_t size = cnp.PyArray_NBYTES(a)
    return start_a < start_b + size and start_b < start_a + size


cdef inline cnp.ndarray new_like(cnp.ndarray array):
    """Return a new plain array; a small one without the detour through the pool of large ones."""
    if cnp.PyArray_NBYTES(array) < POOL_THRESHOLD:
        return new_plain(array)
    return new_array(array.ndim, array.shape, cnp.PyArray_TYPE(array))


# The loops over float16 and bfloat16 of one input: `parameters` is a table of bits, 16 for each
# output. Those of two inputs are in fastact/cython_backend.
cdef void look_up_value(void** inputs, void** outputs, Py_ssize_t blocks, double* parameters) noexcept nogil:
    cdef unsigned short* x = <unsigned short*>inputs[0]
    cdef unsigned short* y = <unsigned short*>outputs[0]
    cdef unsigned short* table = <unsigned short*>parameters
    cdef Py_ssize_t i
    for i in range(blocks * BLOCK):
        y[i] = table[x[i]]


cdef void look_up_both(void** inputs, void** outputs, Py_ssize_t blocks, double* parameters) noexcept nogil:
    cdef unsigned short* x = <unsigned short*>inputs[0]
    cdef unsigned short* y = <unsigned short*>outputs[0]
    cdef unsigned short* d = <unsigned short*>outputs[1]
    cdef unsigned int* table = <unsigned int*>parameters
    cdef unsigned int pairs[PAIRS]
    cdef Py_ssize_t n = blocks * BLOCK
    cdef Py_ssize_t begin = 0
    cdef Py_ssize_t count, i
    while begin < n:
        count = min(n - begin, <Py_ssize_t>PAIRS)
        for i in range(count):
            pairs[i] = table[x[begin + i]]
        for i in range(count):
            y[begin + i] = <unsigned short>pairs[i]
            d[begin + i] = <unsigned short>(pairs[i] >> 16)
        begin = begin + count


def look_up(cnp.ndarray table, cnp.ndarray x, outputs, int num_threads, Py_ssize_t chunk):
    """Look the bits of the elements up; all arrays are contiguous, of uint16 but a table of two."""
    cdef Job job
    check_chunk(chunk)
    set_operands(&job, [x], outputs)
    if job.input_sizes[0] != 2 or table.nbytes != (len(outputs) << 17):
        raise ValueError("driver: expected elements of 16 bits and a table of all their results")
    job.loop = look_up_value if job.n_outputs == 1 else look_up_both
    job.chunk = chunk
    job.streaming = pays_to_stream(&job, TABLE_STREAMING_BYTES)
    job.parameters = <double*>cnp.PyArray_DATA(table)
    run(&job, num_threads)


cdef struct Loops:
    loop_type single
    loop_type single_fast  # for fast precision: `single` where that has no loop of its own
    loop_type double
    loop_type single_broadcast  # their parameters are arrays
    loop_type double_broadcast
    int table_types[TABLES]
    loop_type table_loops[TABLES]
    void* tables[TABLES]
    Py_ssize_t computed  # elements of 16 bits without a table


cdef class FastPath:
    """Base class of a verb: calls the compiled loop where it can, ``_general_call`` elsewhere."""

    cdef vectorcall_type vectorcall
    cdef Loops[BACKENDS] loops
    cdef int n_inputs
    cdef int n_outputs
    cdef int n_parameters
    cdef unsigned int required  # one bit for each parameter
    cdef unsigned int compared  # one bit for each parameter that takes the dtype of the arrays
    cdef tuple parameter_names
    cdef int[MAX_OPERANDS] signs
    cdef double[MAX_OPERANDS] least
    cdef double[MAX_OPERANDS] greatest
    cdef int n_ordered
    cdef int[MAX_OPERANDS] lower
    cdef int[MAX_OPERANDS] upper
    cdef double[MAX_OPERANDS] defaults
    cdef Py_ssize_t chunk
    cdef bint is_bound_by_memory
    cdef list kept_tables
    cdef FastPath kernel
    cdef Py_ssize_t n_positional
    cdef products_type single_products
    cdef products_type double_products
    cdef bint keeps_integers
    cdef int integer_row  # of integers.h, or -1
    cdef int integer_verb
    cdef bint saturates  # whether y of 16 bits may be a bound, from which on f' is 0
    cdef list ufuncs  # of each backend, that of faithful precision and that of fast, or None

    def __cinit__(self, *args, **kwargs):
        self.vectorcall = call_verb
        self.kept_tables = []
        self.ufuncs = [None] * (2 * BACKENDS)

    def __call__(self, *args, **kwargs):
        return self._general_call(args, kwargs)

    def _describe(self, int n_inputs, int n_outputs, parameters, ordered, Py_ssize_t chunk,
                  bint is_bound_by_memory, bint keeps_integers, bint saturates):
        """Set what is called.

        ``parameters`` are tuples of name, default, whether there is one to fall back to, the
        signs of allowed values (1 for values below 0, 2 for 0, 4 for values above 0), the range of
        magnitudes for which the kernels are right, and whether the value is the nearest number of
        the dtype of the arrays. ``ordered`` are pairs of indices: the first of these parameters
        must not be above the second.
        """
        check_chunk(chunk)
        if len(parameters) > MAX_OPERANDS or len(ordered) > MAX_OPERANDS:
            raise ValueError(
                f"driver: expected at most {MAX_OPERANDS} parameters and pairs of them, "
                f"got {len(parameters)} and {len(ordered)}"
            )
        self.n_inputs = n_inputs
        self.n_outputs = n_outputs
        self.n_parameters = len(parameters)
        self.parameter_names = tuple([parameter[0] for parameter in parameters])
        self.required = self.compared = 0
        for i, (_, default, is_required, signs, kernel_range, is_compared) in enumerate(parameters):
            self.least[i], self.greatest[i] = kernel_range
            self.defaults[i] = default
            self.required |= <unsigned int>is_required << <int>i
            self.compared |= <unsigned int>is_compared << <int>i
            self.signs[i] = signs
        self.n_ordered = len(ordered)
        for i, (lower, upper) in enumerate(ordered):
            self.lower[i], self.upper[i] = lower, upper
        self.chunk = chunk
        self.is_bound_by_memory = is_bound_by_memory
        self.keeps_integers = keeps_integers
        self.integer_row = -1
        if self.row.name in INTEGER_ROWS:
            self.integer_row = INTEGER_ROWS.index(self.row.name)
            self.integer_verb = INTEGER_VERBS.index(self.kind)
        self.saturates = saturates

    def _use_kernel(self, FastPath kernel, Py_ssize_t n_positional, size_t single, size_t double_):
        """Have another verb serve the calls with at most so many positional arguments.

        Its arrays are the same, and its parameters, numbers, have the same names. If there are
        addresses of what adds products, their sum is a second result: the gradient of the parameter.
        """
        self.kernel = kernel
        self.n_positional = n_positional
        self.single_products = <products_type>single
        self.double_products = <products_type>double_

    def _use_loops(
        self, int backend, size_t single, size_t single_fast, size_t double_,
        size_t single_broadcast, size_t double_broadcast,
    ):
        """Set the addresses of the loops of a backend, 0 where there is none yet."""
        self.loops[backend].single = <loop_type>single
        self.loops[backend].single_fast = <loop_type>single_fast
        self.loops[backend].double = <loop_type>double_
        self.loops[backend].single_broadcast = <loop_type>single_broadcast
        self.loops[backend].double_broadcast = <loop_type>double_broadcast

    def _use_table(self, int backend, int type_number, cnp.ndarray table, size_t loop):
        """Set the table of a type for the default parameters; what is set already stays.

        ``loop`` is the address of the loop that reads it, 0 where it is a table of results.
        """
        cdef Loops* loops = &self.loops[backend]
        cdef int i
        for i in range(TABLES):
            if loops.tables[i] != NULL and loops.table_types[i] == type_number:
                return
            if loops.tables[i] == NULL:
                self.kept_tables.append(table)
                loops.table_types[i] = type_number
                if loop:
                    loops.table_loops[i] = <loop_type>loop
                else:
                    loops.table_loops[i] = look_up_value if self.n_outputs == 1 else look_up_both
                loops.tables[i] = cnp.PyArray_DATA(table)
                return


include "ufuncs.pxi"
include "grids.pxi"


def use_vectorcall(type verb_class, FastPath verb):
    """Call instances of a subclass, of which ``verb`` is one, without a tuple and a dictionary."""
    enable_vectorcall(verb_class, <char*>&verb.vectorcall - <char*><PyObject*>verb)


cdef object call_verb(FastPath verb, PyObject** args, size_t nargsf, PyObject* kwnames):
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf)
    cdef object result = fast_call(verb, args, n, kwnames)
    if result is not None:
        return result
    result = call_ufunc(verb, args, n, kwnames)
    if result is not None:
        return result
    return verb._general_call(*packed(args, n, kwnames))


cdef tuple packed(PyObject** args, Py_ssize_t n, PyObject* kwnames):
    """Return the arguments of a vectorcall as a tuple and a dictionary."""
    positional = tuple([<object>args[i] for i in range(n)])
    keywords = {}
    if kwnames != NULL:
        for i, name in enumerate(<tuple>kwnames):
            keywords[name] = <object>args[n + i]
    return positional, keywords


cdef inline bint read_number(PyObject* value, int dimensions, double* number) except -1:
    """Read a real number, and return whether it is one.

    It is a Python float, an int of less than 64 bits, a scalar of NumPy, or an array with one
    element and no more than so many dimensions: then the result has the shape of the operands.
    """
    cdef int overflow = 0
    if PyFloat_CheckExact(value):
        number[0] = PyFloat_AS_DOUBLE(value)
        return True
    if PyLong_CheckExact(value):
        number[0] = <double>PyLong_AsLongLongAndOverflow(value, &overflow)
        return not overflow
    return read_element(value, dimensions, number)


cdef bint read_element(PyObject* value, int dimensions, double* number) except -1:
    cdef cnp.ndarray array = None
    cdef int type_number
    if cnp.PyArray_CheckExact(<object>value):
        array = <cnp.ndarray>value
        if cnp.PyArray_SIZE(array) != 1 or cnp.PyArray_NDIM(array) > dimensions:
            return False
        type_number = cnp.PyArray_TYPE(array)
    else:
        type_number = type_number_of_scalar(value)
    if not (<int>cnp.NPY_BYTE <= type_number <= <int>cnp.NPY_DOUBLE or type_number == cnp.NPY_FLOAT16):
        return False
    number[0] = float(<object>value) if array is None else float(array.item())
    return True


cdef int index_of_parameter(FastPath verb, PyObject* name):
    """Return the index of a keyword, as an object: names in source code are. Or -1."""
    cdef int i
    for i in range(verb.n_parameters):
        if PyTuple_GET_ITEM(<PyObject*>verb.parameter_names, i) == name:
            return i
    return -1


cdef bint are_allowed(FastPath verb, double* parameters):
    """Whether no parameter is an error."""
    cdef int i, sign
    for i in range(verb.n_parameters):
        # NaN has none of the signs: it is an error, or the general way computes it.
        sign = 1 if parameters[i] < 0 else 2 if parameters[i] == 0 else 4 if parameters[i] > 0 else 0
        if not verb.signs[i] & sign:
            return False
    for i in range(verb.n_ordered):
        if not parameters[verb.lower[i]] <= parameters[verb.upper[i]]:
            return False
    return True


cdef bint are_for_kernels(FastPath verb, double* parameters):
    """Whether each parameter is 0 or has a magnitude for which the kernels are right."""
    cdef int i
    cdef double magnitude
    for i in range(verb.n_parameters):
        magnitude = fabs(parameters[i])
        if magnitude > verb.greatest[i] or 0 < magnitude < verb.least[i]:
            return False
    return True


cdef inline void round_to_single(unsigned int chosen, double* parameters) noexcept:
    """Round the parameters whose bits are set in ``chosen`` to float32."""
    cdef int i = 0
    while chosen:
        if chosen & 1:
            parameters[i] = <float>parameters[i]
        chosen >>= 1
        i += 1


cdef inline bint find_outputs(FastPath verb, PyObject* out, PyObject** outputs):
    """Find the arrays in ``out``, and return whether there is one for each result."""
    if verb.n_outputs == 1:
        outputs[0] = out
        return True
    if not PyTuple_CheckExact(<object>out) or PyTuple_GET_SIZE(out) != 2:
        return False
    outputs[0], outputs[1] = PyTuple_GET_ITEM(out, 0), PyTuple_GET_ITEM(out, 1)
    return True


cdef inline bint keeps_inputs(FastPath verb, cnp.ndarray output, PyObject** args):
    """Whether no input is written before it is read: one result may replace its input."""
    cdef int i
    for i in range(verb.n_inputs):
        if not overlap(output, <cnp.ndarray>args[i]):
            continue
        if verb.n_outputs == 2 or cnp.PyArray_DATA(output) != cnp.PyArray_DATA(<cnp.ndarray>args[i]):
            return False
    return True


cdef object call_kernel_and_sum(FastPath verb, PyObject** args, Py_ssize_t n_args):
    """Return the kernel's result and the sum of products, or None as ``fast_call``."""
    cdef products_type add_products
    if n_args < 2 or not cnp.PyArray_CheckExact(<object>args[1]):
        return None
    if n_args == 3 and not (PyFloat_CheckExact(args[2]) or PyLong_CheckExact(args[2])):
        return None  # the gradient of a weight has its shape and its dtype
    cdef cnp.ndarray x = <cnp.ndarray>args[1]
    cdef int type_number = cnp.PyArray_TYPE(x)
    if type_number == cnp.NPY_FLOAT32:
        add_products = verb.single_products
    elif type_number == cnp.NPY_FLOAT64:
        add_products = verb.double_products
    else:
        return None
    cdef Py_ssize_t n = cnp.PyArray_SIZE(x)
    cdef object result = fast_call(verb.kernel, args, n_args, NULL) if n else None
    if result is None:
        return None
    # In the course of a long call, other code runs that may have changed an array in place.
    if not (is_plain(<object>args[0], type_number) and is_plain(x, type_number)):
        return None
    if cnp.PyArray_SIZE(<cnp.ndarray>args[0]) != n or cnp.PyArray_SIZE(x) != n:
        return None
    cdef cnp.ndarray total = cnp.PyArray_EMPTY(0, NULL, type_number, 0)
    sum_products(add_products, <cnp.ndarray>args[0], x, 1, n, settings_here().num_threads, total)
    return result, cnp.PyArray_ToScalar(cnp.PyArray_DATA(total), total)


cdef struct Call:
    # What a call says beside its arrays.
    Choice choice
    Loops* loops
    PyObject* out
    double parameters[MAX_OPERANDS]
    bint has_defaults


cdef bint read_call(
    FastPath verb, PyObject** args, Py_ssize_t n_args, PyObject* kwnames, int type_number,
    int dimensions, Call* call,
) except -1:
    """Read parameters, settings and ``out``; return whether all are such as compiled loops take."""
    cdef PyObject* value
    cdef Py_ssize_t n_given = n_args - verb.n_inputs
    cdef unsigned int given = 0  # one bit for each parameter
    cdef Py_ssize_t i
    cdef int index
    if n_given > verb.n_parameters:
        return False
    for i in range(n_given):
        if not read_number(args[verb.n_inputs + i], dimensions, &call.parameters[i]):
            return False
        given |= <unsigned int>1 << i

    call.out = Py_None
    call.choice = settings_here()
    if kwnames != NULL:
        for i in range(PyTuple_GET_SIZE(kwnames)):
            value = args[n_args + i]
            if PyTuple_GET_ITEM(kwnames, i) == OUT:
                call.out = value
                if verb.n_outputs == 1 and PyTuple_CheckExact(<object>value):
                    if PyTuple_GET_SIZE(value) != 1:
                        return False
                    call.out = PyTuple_GET_ITEM(value, 0)
            elif PyTuple_GET_ITEM(kwnames, i) == BACKEND:
                call.choice.backend = call.choice.backend if value == Py_None else own_name(value)
            elif PyTuple_GET_ITEM(kwnames, i) == PRECISION:
                call.choice.precision = call.choice.precision if value == Py_None else own_name(value)
            else:
                index = index_of_parameter(verb, PyTuple_GET_ITEM(kwnames, i))
                if index < 0 or given >> index & 1:
                    return False
                if not read_number(value, dimensions, &call.parameters[index]):
                    return False
                given |= <unsigned int>1 << index
    if given & verb.required != verb.required:
        return False
    if call.choice.backend == AUTO or call.choice.backend == NAMES[0]:
        call.loops = &verb.loops[0]
    elif call.choice.backend == NAMES[1]:
        call.loops = &verb.loops[1]
    else:
        return False
    if call.choice.precision != FAST and call.choice.precision != FAITHFUL:
        return False

    call.has_defaults = True
    for i in range(verb.n_parameters):
        if not given >> i & 1:
            call.parameters[i] = verb.defaults[i]
    if not given:
        return True
    if not are_allowed(verb, call.parameters):  # as given: an error is one in every dtype
        return False
    # Not for 16 bits: their tables are for the defaults, which every dtype has.
    if type_number == cnp.NPY_FLOAT32:
        round_to_single(given & verb.compared, call.parameters)
    for i in range(verb.n_parameters):
        if call.parameters[i] != verb.defaults[i]:
            call.has_defaults = False
        else:  # a negative zero is the default too, if that is 0
            call.parameters[i] = verb.defaults[i]
    return are_for_kernels(verb, call.parameters)


cdef inline bint is_integer(int type_number) noexcept nogil:
    return <int>cnp.NPY_BYTE <= type_number <= <int>cnp.NPY_ULONGLONG


cdef loop_type integer_loop(FastPath verb, int type_number):
    """Return the loop over this type of integers, or NULL."""
    if verb.integer_row < 0 or not is_integer(type_number):
        return NULL
    # Types of integers alternate, beginning with a signed one.
    cdef int index = type_number - <int>cnp.NPY_BYTE
    return find_integer_loop(verb.integer_row, verb.integer_verb, INTEGER_SIZES[index // 2], index & 1)


cdef inline bint choose_loop(Job* job, FastPath verb, Call* call, int type_number):
    """Set the loop for arrays of a type, or NULL, and its parameters; return whether it has a table."""
    cdef Loops* loops = call.loops
    cdef int i
    job.loop = NULL
    job.parameters = call.parameters
    if type_number == cnp.NPY_FLOAT32:
        job.loop = loops.single_fast if call.choice.precision == FAST and call.has_defaults else loops.single
    elif type_number == cnp.NPY_FLOAT64:
        job.loop = loops.double
    elif is_integer(type_number):
        job.loop = integer_loop(verb, type_number)
    elif call.has_defaults:
        for i in range(TABLES):
            if loops.tables[i] != NULL and loops.table_types[i] == type_number:
                job.loop = loops.table_loops[i]
                job.parameters = <double*>loops.tables[i]
                return True
    return False


cdef object fast_call(FastPath verb, PyObject** args, Py_ssize_t n_args, PyObject* kwnames):
    """Return the result, or None where the call is not the common one."""
    cdef Job job
    cdef Call call
    cdef cnp.ndarray first, array
    cdef Py_ssize_t i
    if verb.n_inputs == 0:  # of another kernel, or with settings of its own: it has no loops here
        if verb.kernel is None or n_args > verb.n_positional:
            return None
        if verb.single_products != NULL:
            # Not with keywords: the kernel must not write to the pair that may be given as out.
            return call_kernel_and_sum(verb, args, n_args) if kwnames == NULL else None
        return fast_call(verb.kernel, args, n_args, kwnames)
    if n_args < verb.n_inputs or not cnp.PyArray_CheckExact(<object>args[0]):
        return None
    first = <cnp.ndarray>args[0]
    cdef int type_number = cnp.PyArray_TYPE(first)
    if not read_call(verb, args, n_args, kwnames, type_number, cnp.PyArray_NDIM(first), &call):
        return None

    cdef bint has_table = choose_loop(&job, verb, &call, type_number)
    if job.loop == NULL:
        return None

    for i in range(verb.n_inputs):
        if not is_plain(<object>args[i], type_number):
            return None
        array = <cnp.ndarray>args[i]
        if i and not cnp.PyArray_SAMESHAPE(array, first):
            return None
        job.inputs[i] = cnp.PyArray_DATA(array)
        job.input_sizes[i] = cnp.PyArray_ITEMSIZE(array)

    # Read before arrays are allocated: the garbage collector may run then, and any code with it.
    job.n = cnp.PyArray_SIZE(first)
    cdef object result
    cdef PyObject* outputs[2]
    if call.out != Py_None:
        if not find_outputs(verb, call.out, outputs):
            return None
        for i in range(verb.n_outputs):
            if not is_plain(<object>outputs[i], type_number):
                return None
            array = <cnp.ndarray>outputs[i]
            if not (cnp.PyArray_ISWRITEABLE(array) and cnp.PyArray_SAMESHAPE(array, first)):
                return None
            if not keeps_inputs(verb, array, args):
                return None
            job.outputs[i] = cnp.PyArray_DATA(array)
        if verb.n_outputs == 2 and overlap(<cnp.ndarray>outputs[0], <cnp.ndarray>outputs[1]):
            return None
        result = <object>call.out
    else:
        array = new_like(first)
        result = array
        job.outputs[0] = cnp.PyArray_DATA(array)
        if verb.n_outputs == 2:
            array = new_like(first)
            job.outputs[1] = cnp.PyArray_DATA(array)
            result = (result, array)
    job.output_sizes[0] = job.input_sizes[0]
    job.output_sizes[1] = job.input_sizes[0]
    job.n_inputs = verb.n_inputs
    job.n_outputs = verb.n_outputs
    job.chunk = verb.chunk
    if has_table:
        job.streaming = pays_to_stream(&job, TABLE_STREAMING_BYTES)
    else:
        job.streaming = verb.is_bound_by_memory and pays_to_stream(&job, STREAMING_BYTES)
    run(&job, call.choice.num_threads)
    return result


# --- callables that are passed on -----------------------------------------------------------------

ctypedef object (*direct_vectorcall_type)(DirectCall, PyObject**, size_t, PyObject*)


cdef class DirectCall:
    """Base class of callables that pass their arguments to a Python function, as quickly as can be.

    Calls with ``out``, ``backend`` or ``precision``, and those of an object without such a
    function, go to ``_general_call``.
    """

    cdef direct_vectorcall_type vectorcall
    cdef object direct

    def __cinit__(self, *args, **kwargs):
        self.vectorcall = call_direct

    def __call__(self, *args, **kwargs):
        return self._general_call(args, kwargs)

    def _use_direct(self, function):
        self.direct = function


cdef object call_direct(DirectCall callable, PyObject** args, size_t nargsf, PyObject* kwnames):
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf)
    if callable.direct is not None and not has_own_keyword(kwnames):
        return PyObject_Vectorcall(callable.direct, args, n, kwnames)
    return callable._general_call(*packed(args, n, kwnames))


cdef bint has_own_keyword(PyObject* names):
    cdef Py_ssize_t i
    if names == NULL:
        return False
    for i in range(PyTuple_GET_SIZE(names)):
        name = <object>PyTuple_GET_ITEM(names, i)
        if name == <object>OUT or name == <object>BACKEND or name == <object>PRECISION:
            return True
    return False


def use_direct_vectorcall(type subclass):
    """Call instances of a subclass of ``DirectCall`` without a tuple and a dictionary."""
    cdef DirectCall example = DirectCall()
    enable_vectorcall(subclass, <char*>&example.vectorcall - <char*><PyObject*>example)
