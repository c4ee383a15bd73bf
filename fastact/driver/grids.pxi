# Arrays of any steps without NumPy's ufuncs: large ones on threads, and those of functions of one
# array, which take two thirds of a ufunc's time for 512 elements. The rows of a grid, or parts of
# long rows, are chunks for the threads; signals are handled in between.
#
# Included by _core.pyx.

cdef enum:
    MAX_DIMENSIONS = 64

cdef struct Grid:
    Strided row  # the first row
    int n_axes  # of rows
    Py_ssize_t lengths[MAX_DIMENSIONS]
    Py_ssize_t input_steps[MAX_OPERANDS][MAX_DIMENSIONS]
    Py_ssize_t output_steps[2][MAX_DIMENSIONS]
    Py_ssize_t n_rows
    Py_ssize_t rows_in_chunk  # 1 where a row has several parts
    Py_ssize_t parts
    Py_ssize_t part_length


cdef void run_grid_row(Grid* grid, Py_ssize_t index, Py_ssize_t part) noexcept nogil:
    cdef Strided row = grid.row
    cdef Py_ssize_t begin = part * grid.part_length
    cdef Py_ssize_t position
    cdef int axis, i
    if begin >= row.job.n:  # the parts before, of whole cache lines, are all
        return
    for axis in range(grid.n_axes - 1, -1, -1):
        position = index % grid.lengths[axis]
        index //= grid.lengths[axis]
        for i in range(row.job.n_inputs):
            row.job.inputs[i] = <char*>row.job.inputs[i] + position * grid.input_steps[i][axis]
        for i in range(row.job.n_outputs):
            row.job.outputs[i] = <char*>row.job.outputs[i] + position * grid.output_steps[i][axis]
    run_strided(&row, begin, min(begin + grid.part_length, row.job.n))


cdef void run_grid_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef Grid* grid = <Grid*>context
    cdef Py_ssize_t first = chunk // grid.parts * grid.rows_in_chunk
    cdef Py_ssize_t index
    for index in range(first, min(first + grid.rows_in_chunk, grid.n_rows)):
        run_grid_row(grid, index, chunk % grid.parts)


cdef int run_grid(Grid* grid, int num_threads) except -1:
    cdef Job* job = &grid.row.job
    cdef Py_ssize_t chunk = min(job.chunk, LONGEST_CHUNK)
    cdef int axis
    grid.n_rows = 1
    for axis in range(grid.n_axes):
        grid.n_rows *= grid.lengths[axis]
    if grid.n_rows == 0 or job.n == 0:
        return 0
    grid.rows_in_chunk = max(chunk // job.n, <Py_ssize_t>1)
    grid.parts = max(job.n // chunk, <Py_ssize_t>1)
    grid.part_length = ((job.n + grid.parts - 1) // grid.parts + 63) // 64 * 64
    cdef Py_ssize_t chunks = (grid.n_rows + grid.rows_in_chunk - 1) // grid.rows_in_chunk * grid.parts
    if grid.n_rows * job.n * job.input_sizes[0] < GIL_BYTES:
        run_in_order(run_grid_chunk, grid, chunks)
        return 0
    return run_chunks(run_grid_chunk, grid, chunks, CHUNKS_BETWEEN_SIGNALS, num_threads)


# --- from arrays to a grid -----------------------------------------------------------------------

cdef bint is_strided(PyObject* value, int type_number, bint as_output):
    """Whether it is exactly an ndarray of this type, native and aligned, with dimensions."""
    if not cnp.PyArray_CheckExact(<object>value):
        return False
    cdef cnp.ndarray array = <cnp.ndarray>value
    if cnp.PyArray_TYPE(array) != type_number or cnp.PyArray_NDIM(array) == 0:
        return False
    return cnp.PyArray_ISBEHAVED(array) if as_output else cnp.PyArray_ISBEHAVED_RO(array)


cdef bint join_shape(Grid* grid, cnp.ndarray array, int dimensions):
    """Broadcast the lengths of the grid with those of an array; return whether that is possible."""
    cdef int axis
    cdef Py_ssize_t length
    cdef int missing = dimensions - cnp.PyArray_NDIM(array)
    for axis in range(missing, dimensions):
        length = cnp.PyArray_DIM(array, axis - missing)
        if grid.lengths[axis] == 1:
            grid.lengths[axis] = length
        elif length != 1 and length != grid.lengths[axis]:
            return False
    return True


cdef void set_steps(Py_ssize_t* steps, cnp.ndarray array, int dimensions):
    cdef int axis
    cdef int missing = dimensions - cnp.PyArray_NDIM(array)
    for axis in range(dimensions):
        steps[axis] = 0
        if axis >= missing and cnp.PyArray_DIM(array, axis - missing) != 1:
            steps[axis] = cnp.PyArray_STRIDE(array, axis - missing)


cdef void swap_axes(Grid* grid, int a, int b):
    cdef int i
    grid.lengths[a], grid.lengths[b] = grid.lengths[b], grid.lengths[a]
    for i in range(grid.row.job.n_inputs):
        grid.input_steps[i][a], grid.input_steps[i][b] = grid.input_steps[i][b], grid.input_steps[i][a]
    for i in range(grid.row.job.n_outputs):
        grid.output_steps[i][a], grid.output_steps[i][b] = grid.output_steps[i][b], grid.output_steps[i][a]


cdef void sort_axes(Grid* grid):
    """Have the steps of the first output fall from axis to axis."""
    cdef int axis, other
    for axis in range(1, grid.n_axes):
        for other in range(axis, 0, -1):
            if labs(grid.output_steps[0][other - 1]) >= labs(grid.output_steps[0][other]):
                break
            swap_axes(grid, other - 1, other)


cdef bint follows(Grid* grid, int axis):
    """Whether going along the axis before is going on along this one, in all arrays."""
    cdef int i
    for i in range(grid.row.job.n_inputs):
        if grid.input_steps[i][axis - 1] != grid.lengths[axis] * grid.input_steps[i][axis]:
            return False
    for i in range(grid.row.job.n_outputs):
        if grid.output_steps[i][axis - 1] != grid.lengths[axis] * grid.output_steps[i][axis]:
            return False
    return True


cdef void join_axes(Grid* grid):
    """Join axes that follow one another, and leave out those of length 1; the last is a row."""
    cdef int axis = grid.n_axes - 1
    cdef int i
    while axis > 0:
        if grid.lengths[axis - 1] == 1 or grid.lengths[axis] == 1 or follows(grid, axis):
            if grid.lengths[axis] == 1:
                swap_axes(grid, axis - 1, axis)
            grid.lengths[axis] *= grid.lengths[axis - 1]
            for i in range(axis, grid.n_axes):  # close the gap
                swap_axes(grid, i - 1, i)
            grid.n_axes -= 1
        axis -= 1
    grid.n_axes -= 1
    grid.row.job.n = grid.lengths[grid.n_axes]
    for i in range(grid.row.job.n_inputs):
        grid.row.input_steps[i] = grid.input_steps[i][grid.n_axes]
    for i in range(grid.row.job.n_outputs):
        grid.row.output_steps[i] = grid.output_steps[i][grid.n_axes]


cdef object call_on_grid(FastPath verb, PyObject** args, Call* call, int type_number, int dimensions):
    """Return the results for large arrays of any steps, or None where a ufunc must compute them."""
    cdef Grid grid
    cdef Job* job = &grid.row.job
    cdef cnp.ndarray array
    cdef int i
    if call.out != Py_None and verb.n_outputs != 1:
        return None
    choose_loop(job, verb, call, type_number)
    if job.loop == NULL:
        return None
    if not set_inputs(&grid, verb, args, type_number, dimensions):
        return None
    inputs = [<object>args[i] for i in range(verb.n_inputs)]
    if call.out == Py_None:
        outputs = new_outputs(verb, inputs, &grid, dimensions)
    else:
        outputs = [<object>call.out]
        if not is_strided(call.out, type_number, True) or not keeps_all_inputs(<object>call.out, inputs):
            return None
    # Other code may have run, and changed an array in place. From here on, none does.
    if not set_inputs(&grid, verb, args, type_number, dimensions):
        return None
    job.n_inputs, job.n_outputs = verb.n_inputs, verb.n_outputs
    job.chunk = verb.chunk
    job.streaming = False
    grid.row.unsigned_zeros = grid.row.singles = 0
    for i in range(verb.n_outputs):
        array = outputs[i]
        if not is_strided(<PyObject*>array, type_number, True) or not has_shape(array, &grid, dimensions):
            return None
        job.outputs[i], job.output_sizes[i] = cnp.PyArray_DATA(array), cnp.PyArray_ITEMSIZE(array)
        set_steps(grid.output_steps[i], array, dimensions)
    grid.n_axes = dimensions
    sort_axes(&grid)
    if not is_disjoint(&grid):
        return None
    join_axes(&grid)
    run_grid(&grid, call.choice.num_threads)
    return outputs[0] if verb.n_outputs == 1 else tuple(outputs)


cdef object new_outputs(FastPath verb, list inputs, Grid* grid, int dimensions):
    """Return new arrays in the shape and the memory order of a ufunc's results."""
    cdef cnp.ndarray array = inputs[0]
    cdef Py_ssize_t size = 1
    cdef int axis
    for axis in range(dimensions):
        size *= grid.lengths[axis]
    size *= cnp.PyArray_ITEMSIZE(array)
    if len(inputs) > 1 or size >= POOL_THRESHOLD or has_step_of_zero(array):
        return verb._new_outputs(inputs, size)
    return [PyArray_NewLikeArray(array, cnp.NPY_KEEPORDER, NULL, 0) for _ in range(verb.n_outputs)]


cdef bint has_step_of_zero(cnp.ndarray array):
    cdef int axis
    for axis in range(cnp.PyArray_NDIM(array)):
        if cnp.PyArray_STRIDE(array, axis) == 0:
            return True
    return False


cdef bint set_inputs(Grid* grid, FastPath verb, PyObject** args, int type_number, int dimensions):
    """Set lengths, addresses and steps; return whether the inputs are such as a grid takes."""
    cdef Job* job = &grid.row.job
    cdef cnp.ndarray array
    cdef int i, axis
    for axis in range(dimensions):
        grid.lengths[axis] = 1
    for i in range(verb.n_inputs):
        if not is_strided(args[i], type_number, False):
            return False
        array = <cnp.ndarray>args[i]
        if cnp.PyArray_NDIM(array) > dimensions or not join_shape(grid, array, dimensions):
            return False
        job.inputs[i], job.input_sizes[i] = cnp.PyArray_DATA(array), cnp.PyArray_ITEMSIZE(array)
        set_steps(grid.input_steps[i], array, dimensions)
    return True


cdef bint is_disjoint(Grid* grid):
    """Whether no two elements of the first output share memory; its axes are sorted.

    Others are new arrays. Of elements that do share it, the last must win, as in a ufunc.
    """
    cdef Py_ssize_t extent = grid.row.job.output_sizes[0]  # of the axes so far
    cdef Py_ssize_t step
    cdef int axis
    for axis in range(grid.n_axes - 1, -1, -1):
        if grid.lengths[axis] < 2:
            continue
        step = labs(grid.output_steps[0][axis])
        if step < extent:
            return False
        extent += step * (grid.lengths[axis] - 1)
    return True


cdef bint has_shape(cnp.ndarray array, Grid* grid, int dimensions):
    cdef int axis
    if cnp.PyArray_NDIM(array) != dimensions:
        return False
    for axis in range(dimensions):
        if cnp.PyArray_DIM(array, axis) != grid.lengths[axis]:
            return False
    return True


cdef bint keeps_all_inputs(object output, list inputs) except -1:
    """Whether no input is written before it is read: one may be the output itself."""
    for array in inputs:
        if may_share_memory(output, array) and not (
            cnp.PyArray_DATA(output) == cnp.PyArray_DATA(array)
            and output.shape == array.shape
            and output.strides == array.strides
        ):
            return False
    return True
