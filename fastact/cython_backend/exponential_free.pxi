# f and f' of the activations that need no exponential, for float and double alike.
#
# Parameters that are compared with x are numbers of its type: the callers round them.
#
# Comparisons are written so that NaN takes the branch that keeps it: `0 if x < 0 else x` passes
# NaN and -0.0 on and is one instruction, `x if x > 0 else 0` would swallow NaN. Where the
# definition rounds nothing, nothing is rounded here. Derivatives that a parameter enters are
# returned in double, so that backward rounds once. Where g f'(x) can be had for less than f'(x) and a
# product, there is a function `name_backward` too, and likewise `name_backward_from_output`.


cdef inline floating keep_nan(floating derivative, floating x) noexcept nogil:
    return derivative if x == x else x


cdef extern from *:
    """
    #define FASTACT_SIXTH (1.0 / 6.0)
    #define FASTACT_SIXTH_SHORT 0.16666650772094727f /* 20 bits */
    #define FASTACT_SIXTH_REST 1.5894572413799324e-07f /* 1 / 6 = SIXTH_SHORT + SIXTH_REST */
    #define FASTACT_SIXTH_LOW 9.25185853854297e-18 /* 1 / 6 = SIXTH + SIXTH_LOW */
    #define FASTACT_LARGEST_SUBNORMAL 2.225073858507201e-308
    #define FASTACT_SMALLEST 4.9406564584124654e-324
    #define FASTACT_SMALLEST_FLOAT 1.4012984643248171e-45
    #define FASTACT_NEGLIGIBLE 8.673617379884035e-19 /* 2**-60 */
    #define FASTACT_HUGE 1e200
    #define FASTACT_TWO_TO_540 3.599131035634557e162
    #define FASTACT_TWO_TO_26 67108864.0
    #define FASTACT_TWO_TO_28 268435456.0
    #define FASTACT_TWO_TO_150 1.42724769270596e45
    #define FASTACT_TWO_TO_200 1.6069380442589903e60
    #define FASTACT_TWO_TO_290 1.9892929456391466e87
    #define FASTACT_TWO_TO_340 2.2397447421778042e102
    #define FASTACT_TWO_TO_400 2.5822498780869086e120
    #define FASTACT_TWO_TO_500 3.273390607896142e150
    #define FASTACT_TWO_TO_740 5.78358058743443e222
    #define FASTACT_TWO_TO_1000 1.0715086071862673e301
    #define FASTACT_TWO_TO_MINUS_30 9.313225746154785e-10
    #define FASTACT_TWO_TO_MINUS_32 2.3283064365386963e-10
    #define FASTACT_TWO_TO_MINUS_50 8.881784197001252e-16
    #define FASTACT_TWO_TO_MINUS_250 5.527147875260445e-76
    #define FASTACT_TWO_TO_MINUS_400 3.8725919148493183e-121
    #define FASTACT_TWO_TO_MINUS_500 3.054936363499605e-151

    /* 1 / d as in fastact_reciprocal, to 2**-17 in float, and roughly, to 2**-8 */
    static CYTHON_INLINE float fastact_reciprocal_from_bits_float(float d) {
        uint32_t bits;
        memcpy(&bits, &d, sizeof bits);
        bits = UINT32_C(0x7ef311c3) - bits;
        memcpy(&d, &bits, sizeof d);
        return d;
    }
    static CYTHON_INLINE float fastact_refined_reciprocal_float(float r, float d) {
        float s = fastact_multiply_add_float(-d, r, 1.0f);
        r = fastact_multiply_add_float(r, s, r);
        return fastact_multiply_add_float(r, s * s, r);
    }
    static CYTHON_INLINE float fastact_reciprocal_float(float d) {
        return fastact_refined_reciprocal_float(fastact_reciprocal_from_bits_float(d), d);
    }
    static CYTHON_INLINE float fastact_rough_reciprocal_float(float d) {
        float r = fastact_reciprocal_from_bits_float(d);
        return fastact_multiply_add_float(r, fastact_multiply_add_float(-d, r, 1.0f), r);
    }
    static CYTHON_INLINE double fastact_rough_reciprocal(double d) {
        uint64_t bits;
        double r;
        memcpy(&bits, &d, sizeof bits);
        bits = UINT64_C(0x7fde623850000000) - bits;
        memcpy(&r, &bits, sizeof r);
        return fastact_multiply_add(r, fastact_multiply_add(-d, r, 1.0), r);
    }
    """
    const double SIXTH "FASTACT_SIXTH"
    const float SIXTH_SHORT "FASTACT_SIXTH_SHORT"
    const float SIXTH_REST "FASTACT_SIXTH_REST"
    const double SIXTH_LOW "FASTACT_SIXTH_LOW"
    const double LARGEST_SUBNORMAL "FASTACT_LARGEST_SUBNORMAL"
    const double SMALLEST "FASTACT_SMALLEST"
    const double SMALLEST_FLOAT "FASTACT_SMALLEST_FLOAT"
    # Added to 1 these change nothing, or are all that is left.
    const double NEGLIGIBLE "FASTACT_NEGLIGIBLE"
    const double HUGE "FASTACT_HUGE"
    const double TWO_TO_540 "FASTACT_TWO_TO_540"
    const double TWO_TO_26 "FASTACT_TWO_TO_26"
    const double TWO_TO_28 "FASTACT_TWO_TO_28"
    const double TWO_TO_150 "FASTACT_TWO_TO_150"
    const double TWO_TO_200 "FASTACT_TWO_TO_200"
    const double TWO_TO_290 "FASTACT_TWO_TO_290"
    const double TWO_TO_340 "FASTACT_TWO_TO_340"
    const double TWO_TO_400 "FASTACT_TWO_TO_400"
    const double TWO_TO_500 "FASTACT_TWO_TO_500"
    const double TWO_TO_740 "FASTACT_TWO_TO_740"
    const double TWO_TO_1000 "FASTACT_TWO_TO_1000"
    const double TWO_TO_MINUS_30 "FASTACT_TWO_TO_MINUS_30"
    const double TWO_TO_MINUS_32 "FASTACT_TWO_TO_MINUS_32"
    const double TWO_TO_MINUS_50 "FASTACT_TWO_TO_MINUS_50"
    const double TWO_TO_MINUS_250 "FASTACT_TWO_TO_MINUS_250"
    const double TWO_TO_MINUS_400 "FASTACT_TWO_TO_MINUS_400"
    const double TWO_TO_MINUS_500 "FASTACT_TWO_TO_MINUS_500"
    # 2**-126 < d < 2**126; refined from bits, it is what reciprocal_float has
    float reciprocal_from_bits_float "fastact_reciprocal_from_bits_float"(float d) noexcept nogil
    float refined_reciprocal_float "fastact_refined_reciprocal_float"(float r, float d) noexcept nogil
    float reciprocal_float "fastact_reciprocal_float"(float d) noexcept nogil
    float rough_reciprocal_float "fastact_rough_reciprocal_float"(float d) noexcept nogil
    double rough_reciprocal "fastact_rough_reciprocal"(double d) noexcept nogil

# The unevaluated sum of two.
ctypedef struct float_pair:
    float high
    float low


# identity: x
cdef inline floating identity(floating x) noexcept nogil:
    return x


cdef inline floating identity_grad(floating x) noexcept nogil:
    return keep_nan[floating](1, x)


cdef inline floating identity_grad_from_output(floating y) noexcept nogil:
    return keep_nan[floating](1, y)


# relu: max(x, 0), with relu(-0.0) = -0.0
cdef inline floating relu(floating x) noexcept nogil:
    return 0 if x < 0 else x


cdef inline floating relu_grad(floating x) noexcept nogil:
    return keep_nan[floating](1 if x > 0 else 0, x)


cdef inline floating relu_grad_from_output(floating y) noexcept nogil:
    return relu_grad[floating](y)


# relu6: min(max(x, 0), 6)
cdef inline floating relu6(floating x) noexcept nogil:
    cdef floating lower_clipped = 0 if x < 0 else x
    return 6 if lower_clipped > 6 else lower_clipped


cdef inline floating relu6_grad(floating x) noexcept nogil:
    cdef floating below = 1 if x < 6 else 0
    return keep_nan[floating](below if x > 0 else 0, x)


cdef inline floating relu6_grad_from_output(floating y) noexcept nogil:
    return relu6_grad[floating](y)


# squared_relu: max(x, 0)**2. Subnormal numbers have the square 0, and are not multiplied.
cdef inline floating squared_relu(floating x) noexcept nogil:
    cdef floating least = FLT_MIN if floating is float else DBL_MIN
    cdef floating rectified = 0 if x < least else x
    return rectified * rectified


cdef inline double squared_relu_grad(floating x) noexcept nogil:
    cdef double rectified = relu[floating](x)
    return rectified + rectified


# 2 g max(x, 0): 2 x may overflow where this does not, so in float, where that takes no longer, the
# factor is doubled that overflows only if this does.
cdef inline floating squared_relu_backward(floating g, floating x) noexcept nogil:
    cdef floating rectified = relu[floating](x)
    cdef floating other
    if floating is double:
        return squared_relu_backward_double(g, x)
    else:
        other = g if rectified < 1 else g + g
        return other * (rectified + rectified if rectified < 1 else rectified)


# A subnormal x is multiplied as a mantissa: the product, which g may make a normal number, is slow.
cdef inline double squared_relu_backward_double(double g, double x) noexcept nogil:
    cdef double least = DBL_MIN if fabs(g) <= DBL_MAX else 0.0
    cdef double other = 0.0 if x < least else x
    cdef double product = g * other
    return doubled_part_of_subnormal(x, g) if x > other else product + product


cdef inline double squared_relu_grad_from_output(floating y) noexcept nogil:
    cdef double root = root_of[floating](relu[floating](y))
    return root + root


# sqrt(y), y >= 0. For float, the root in float and one step of Newton's method in double, in less time
# than the root in double; what it leaves of y is exact, the error 2**-31.
cdef inline double root_of(floating y) noexcept nogil:
    cdef float bounded, root
    cdef double rest, half, corrected
    if floating is double:
        return sqrt(y)
    else:
        bounded = at_most_float(y, FLT_MAX)
        root = sqrtf(bounded)
        rest = multiply_add(-<double>root, root, bounded)
        half = F(0.5) * rough_reciprocal_float(root)
        corrected = multiply_add(rest, half, root)
        return y if y > FLT_MAX else corrected


# leaky_relu: x if x > 0 else negative_slope * x; the product is rounded once, from double. 0 * inf
# would be NaN: for the slope 0, -inf stops at the lowest finite number, and for an infinite slope, a
# zero is its own product.
cdef inline floating leaky_relu(floating x, double negative_slope) noexcept nogil:
    cdef floating bound, least, product
    if floating is double:
        return leaky_relu_double(x, negative_slope)
    else:
        bound = <float>(-FLT_MAX if negative_slope == 0 else -INFINITY)
        least = <float>(0.0 if fabs(negative_slope) > DBL_MAX else SMALLEST_FLOAT)
        product = <float>(negative_slope * (bound if x < bound else x))
        return x if x >= least else product


# From `least` on the mantissa is multiplied. A zero is its own product but for a negative slope.
cdef inline double leaky_relu_double(double x, double slope) noexcept nogil:
    cdef double least_kept = 0.0 if slope >= 0 else SMALLEST
    least_kept = 0.0 if slope < -DBL_MAX else least_kept
    cdef double least = -LARGEST_SUBNORMAL if FUSED and slope > 0 else INFINITY
    least = INFINITY if slope > 1 else least
    least = -INFINITY if slope == 0 else least
    cdef double low = slope * (0.0 if x >= least else x)
    low = minus_part_of_subnormal(x, slope) if x >= least else low
    return x if x >= least_kept else low


cdef inline double leaky_relu_grad(floating x, double negative_slope) noexcept nogil:
    cdef double slope = 1 if x > 0 else negative_slope
    return slope if x == x else x


# g leaky_relu'(x), without a conversion of x
cdef inline floating leaky_relu_backward(floating g, floating x, double negative_slope) noexcept nogil:
    cdef floating product = <floating>(negative_slope * g)
    cdef floating low = product if x <= 0 else x  # x is NaN if it is neither
    return g if x > 0 else low


cdef inline double leaky_relu_grad_from_output(floating y, double negative_slope) noexcept nogil:
    return leaky_relu_grad[floating](y, negative_slope)


# threshold: x if x > threshold else value
cdef inline floating threshold(floating x, double threshold, double value) noexcept nogil:
    cdef floating bound = threshold
    cdef floating constant = value
    return constant if x <= bound else x


cdef inline floating threshold_grad(floating x, double threshold, double value) noexcept nogil:
    cdef floating bound = threshold
    return keep_nan[floating](1 if x > bound else 0, x)


# hard_tanh: min(max(x, min_val), max_val)
cdef inline floating hard_tanh(floating x, double min_val, double max_val) noexcept nogil:
    cdef floating low = min_val
    cdef floating high = max_val
    cdef floating lower_clipped = low if x < low else x
    return high if lower_clipped > high else lower_clipped


cdef inline floating hard_tanh_grad(floating x, double min_val, double max_val) noexcept nogil:
    cdef floating low = min_val
    cdef floating high = max_val
    cdef floating below = 1 if x < high else 0
    return keep_nan[floating](below if x > low else 0, x)


cdef inline floating hard_tanh_grad_from_output(
    floating y, double min_val, double max_val
) noexcept nogil:
    return hard_tanh_grad[floating](y, min_val, max_val)


# hard_shrink: x if abs(x) > lambd else 0
cdef inline floating hard_shrink(floating x, double lambd) noexcept nogil:
    cdef floating bound = lambd
    cdef floating not_above = 0 if x <= bound else x
    return not_above if x >= -bound else x


cdef inline floating hard_shrink_grad(floating x, double lambd) noexcept nogil:
    cdef floating bound = lambd
    cdef floating above = 1 if x > bound else 0
    return keep_nan[floating](1 if x < -bound else above, x)


cdef inline floating hard_shrink_grad_from_output(floating y, double lambd) noexcept nogil:
    return hard_shrink_grad[floating](y, lambd)


# soft_shrink: sign(x) max(abs(x) - lambd, 0) = x - clip(x, -lambd, lambd). Zero has the sign of x.
cdef inline floating soft_shrink(floating x, double lambd) noexcept nogil:
    return <floating>copysign(x - hard_tanh[floating](x, -lambd, lambd), x)


cdef inline floating soft_shrink_grad(floating x, double lambd) noexcept nogil:
    return hard_shrink_grad[floating](x, lambd)


cdef inline floating soft_shrink_grad_from_output(floating y, double lambd) noexcept nogil:
    return hard_shrink_grad[floating](y, 0.0)


# slope x + offset. The sum of the rounded product and what that lacks; near its root, where it
# cancels, the sum is exact but for the second order. For the slope 0, infinities stop at the largest
# finite number: 0 * inf would be NaN. Largest error 0.6 ulp, but for subnormal products.
cdef inline double linear(double x, double slope, double slope_low, double offset) noexcept nogil:
    cdef double bound = DBL_MAX if slope == 0 else INFINITY
    cdef double bounded = at_most(at_least(x, -bound), bound)
    cdef double finite = at_most(at_least(x, -DBL_MAX), DBL_MAX)
    cdef double product, total, taken, rest
    if FUSED:
        return multiply_add(slope, bounded, offset) + slope_low * finite
    else:
        product = slope * bounded
        total = product + offset
        taken = total - product
        rest = (product - (total - taken)) + (offset - taken)
        rest += product_error(slope, bounded, product) + slope_low * finite
        rest += total
        return rest if rest == rest else total  # beyond the range, the error of the product is NaN


# 0 for this slope and this offset only: one comparison, where gcc makes branches of two
cdef inline double apart(double slope, double this_slope, double offset, double this_offset) noexcept nogil:
    return fabs(slope - this_slope) + fabs(offset - this_offset)


# What 1/6 is more than the double nearest to it, which stands for it
cdef inline double low_part(double slope) noexcept nogil:
    return SIXTH_LOW if slope == SIXTH else 0.0


# slope x + offset - bound, with the right sign, also where slope x vanishes or overflows beside 0; NaN
# where the line meets an infinite bound
cdef inline double excess(double x, double slope, double offset, double bound) noexcept nogil:
    cdef double difference = offset - bound
    cdef double taken = difference - offset
    cdef double rest = (offset - (difference - taken)) - (bound + taken)
    cdef double half = 0.5 if fabs(difference) > DBL_MAX else 1.0
    rest = 0.0 if fabs(difference) > DBL_MAX else rest
    cdef double sign = x if x == 0 else copysign(1.0, x)
    sign = sign if x == x else x
    cdef double other = sign if difference == 0 else x
    if not FUSED:  # the rounded product may be infinite where the line is not
        other = sign if fabs(x) <= (DBL_MAX if fabs(bound) > DBL_MAX else -1.0) else other
    difference = difference if half == 1 else half * offset - half * bound
    return linear(other, slope * half, low_part(slope) * half, difference) + rest


# clipped_linear: clip(slope x + offset, min_val, max_val); the line of slope 1 through 0 is x itself
cdef inline floating clipped_linear(
    floating x, double slope, double offset, double min_val, double max_val
) noexcept nogil:
    cdef floating line = <floating>linear(x, slope, low_part(slope), offset)
    line = x if apart(slope, 1.0, offset, 0.0) == 0 else line
    return hard_tanh[floating](line, min_val, max_val)


# An infinite line is at the infinite bound that it meets.
cdef inline double zero_if_nan(double value) noexcept nogil:
    return value if value == value else 0.0


cdef inline double clipped_linear_grad(
    floating x, double slope, double offset, double min_val, double max_val
) noexcept nogil:
    cdef double above_high = zero_if_nan(excess(x, slope, offset, max_val))
    cdef double below_low = zero_if_nan(-excess(x, slope, offset, min_val))
    # One comparison of what is larger: gcc makes a branch of two.
    cdef double outside = above_high if above_high > below_low else below_low
    cdef double of_line = 0.0 if outside >= 0 else slope
    of_line = of_line if x == x else x
    cdef double of_x = hard_tanh_grad[floating](x, min_val, max_val)
    return of_x if apart(slope, 1.0, offset, 0.0) == 0 else of_line


cdef inline double clipped_linear_grad_from_output(
    floating y, double slope, double offset, double min_val, double max_val
) noexcept nogil:
    cdef floating low = min_val
    cdef floating high = max_val
    cdef double between = slope if y < high else 0
    between = between if y > low else 0
    return between if y == y else y


# g clipped_linear'(x), for float without a conversion of y
cdef inline floating clipped_linear_backward_from_output(
    floating g, floating y, double slope, double offset, double min_val, double max_val
) noexcept nogil:
    cdef floating low = min_val
    cdef floating high = max_val
    cdef floating product, below
    if floating is double:
        return g * clipped_linear_grad_from_output[double](y, slope, offset, min_val, max_val)
    else:
        product = <float>(slope * g)
        below = product if y < high else g * 0
        return keep_nan[float](below if y > low else g * 0, y)


# hard_sigmoid: clip(slope x + offset, 0, 1)
cdef inline floating hard_sigmoid(floating x, double slope, double offset) noexcept nogil:
    cdef floating of_line = clipped_linear[floating](x, slope, offset, 0.0, 1.0)
    return sixth_above[floating](x) if apart(slope, SIXTH, offset, 0.5) == 0 else of_line


cdef inline double hard_sigmoid_grad(floating x, double slope, double offset) noexcept nogil:
    cdef double of_line = clipped_linear_grad[floating](x, slope, offset, 0.0, 1.0)
    cdef double between = clipped_linear_grad_from_output[floating](x, slope, offset, -3.0, 3.0)
    return between if apart(slope, SIXTH, offset, 0.5) == 0 else of_line


# g hard_sigmoid'(x), by default in float
cdef inline floating hard_sigmoid_backward(
    floating g, floating x, double slope, double offset
) noexcept nogil:
    cdef floating of_line = <floating>(g * hard_sigmoid_grad[floating](x, slope, offset))
    cdef float between
    if floating is float and FUSED:
        between = sixth_between(g, x, F(-3.0), F(3.0))
        return between if apart(slope, SIXTH, offset, 0.5) == 0 else of_line
    else:
        return of_line


cdef inline floating hard_sigmoid_backward_from_output(
    floating g, floating y, double slope, double offset
) noexcept nogil:
    cdef floating of_line = clipped_linear_backward_from_output[floating](
        g, y, slope, offset, 0.0, 1.0
    )
    cdef float between
    if floating is float and FUSED:
        between = sixth_between(g, y, F(0.0), F(1.0))
        return between if slope == SIXTH else of_line
    else:
        return of_line


# g / 6 for low < x < high, else g * 0: a sum of two, both of the sign of g, since g may be infinite
cdef inline float sixth_between(float g, float x, float low, float high) noexcept nogil:
    cdef float sixth = multiply_add_float(g, SIXTH_SHORT, g * SIXTH_REST)
    cdef float below = sixth if x < high else g * 0
    return keep_nan[float](below if x > low else g * 0, x)


cdef inline double hard_sigmoid_grad_from_output(
    floating y, double slope, double offset
) noexcept nogil:
    return clipped_linear_grad_from_output[floating](y, slope, offset, 0.0, 1.0)


# (x + 3) / 6 for -3 < x < 3; the sum carries its rounding error along. In float as in
# hard_swish_product_float, largest error 0.50001 ulp; in double below 1 ulp.
cdef inline floating sixth_above(floating x) noexcept nogil:
    cdef floating three = 3
    cdef floating bounded = hard_tanh[floating](x, -3.0, 3.0)
    if floating is double:
        bounded = 0.0 if is_subnormal(bounded) else bounded  # its product would be slow
    cdef floating high = bounded + three
    cdef floating low = bounded + (three - high)
    cdef float inner, inner_low
    if floating is float and FUSED:
        inner = high * SIXTH_SHORT
        inner_low = multiply_add_float(high, SIXTH_SHORT, -inner)
        inner_low = multiply_add_float(low, SIXTH_SHORT, inner_low)
        return inner + multiply_add_float(high, SIXTH_REST, inner_low)
    elif floating is float:
        return <float>((<double>high + low) * SIXTH)
    else:
        return sixth_of(high, low)


# hard_swish: x * clip(slope x + offset, 0, 1); by default x (x + 3) / 6 for -3 < x < 3
#
# float: the product is exact in double, but for tiny x; largest error 0.5000001 ulp.
# double: the product carries its rounding error along; largest error below 1.5 ulp.
# At and below -3 the result is x * 0 = -0.0, also at -inf.
cdef inline floating hard_swish(floating x, double slope, double offset) noexcept nogil:
    cdef floating inner, low
    if floating is float:
        inner = <float>(<double>x * (<double>x + 3.0) * SIXTH)
        low = <floating>-0.0 if x <= -3 else inner
    else:
        low = hard_swish_low_double(x)
    cdef floating of_line = hard_swish_of_line[floating](x, slope, offset)
    cdef floating by_default = x if x >= 3 else low
    return by_default if apart(slope, SIXTH, offset, 0.5) == 0 else of_line


# For any line, largest error 1.6 ulp in double
cdef inline floating hard_swish_of_line(floating x, double slope, double offset) noexcept nogil:
    cdef double line = linear(x, slope, low_part(slope), offset)
    cdef floating product = <floating>(x * line)
    cdef floating zero = <floating>copysign(0.0, <double>x)
    cdef floating low = zero if line <= 0 else product
    return x if line >= 1 else low


# hard_swish': by default x/3 + 1/2 = (2 x + 3) / 6 for -3 < x < 3; the sum is exact near the root at
# -3/2. In double; for float, the product with 1/6 is exact enough and spares the division.
cdef inline double hard_swish_grad(floating x, double slope, double offset) noexcept nogil:
    cdef double doubled = 2.0 * x + 3.0
    cdef double inner
    if floating is float:
        inner = doubled * SIXTH
    else:
        inner = sixth_of(doubled, 0.0)
    cdef double low = 0.0 if x <= -3 else inner
    cdef double by_default = 1.0 if x >= 3 else low
    cdef double of_line = linear(x, 2.0 * slope, 2.0 * low_part(slope), offset)
    of_line = 0.0 if excess(x, slope, offset, 0.0) <= 0 else of_line
    of_line = 1.0 if excess(x, slope, offset, 1.0) >= 0 else of_line
    return by_default if apart(slope, SIXTH, offset, 0.5) == 0 else of_line


# g hard_swish'(x), with choices between floats
cdef inline floating hard_swish_backward(
    floating g, floating x, double slope, double offset
) noexcept nogil:
    cdef floating product
    cdef floating of_line = <floating>(g * hard_swish_grad[floating](x, slope, offset))
    if floating is float and FUSED:
        product = hard_swish_product_float(g, x)
    else:
        product = of_line
    cdef floating low = g * 0 if x <= -3 else product
    cdef floating by_default = g if x >= 3 else low
    return by_default if apart(slope, SIXTH, offset, 0.5) == 0 else of_line


# For x < 3; zero has the sign of x.
cdef inline double hard_swish_low_double(double x) noexcept nogil:
    cdef double bounded = at_least(x, -3.0)
    cdef double total = bounded + 3.0
    cdef double shifted = shifted_mantissa(x)
    cdef double factor = shifted if is_subnormal(x) else bounded
    cdef double product = factor * total
    cdef double inner = sixth_of(product, product_error(factor, total, product))
    return copysign(half_of_shifted(shifted) if is_subnormal(x) else inner, x)


# g (2 x + 3) / 6 in float, as sums of two: a third less time than in double. 1/6 is cut, so that both
# parts of the derivative have the same sign: an infinite g would give inf - inf. Sums, since products
# with subnormal numbers are slow.
cdef inline float hard_swish_product_float(float g, float x) noexcept nogil:
    cdef float three = 3
    cdef float doubled = x + x
    cdef float high = doubled + three
    cdef float low = doubled + (three - high)
    cdef float inner = high * SIXTH_SHORT
    cdef float inner_low = multiply_add_float(high, SIXTH_SHORT, -inner)
    inner_low = multiply_add_float(low, SIXTH_SHORT, inner_low)
    inner_low = multiply_add_float(high, SIXTH_REST, inner_low)
    return multiply_add_float(g, inner, g * inner_low)


# (high + low) / 6, within half an ulp or little more
cdef inline double sixth_of(double high, double low) noexcept nogil:
    return multiply_add(high, SIXTH, multiply_add(high, SIXTH_LOW, low * SIXTH))


# softsign: x / (1 + |x|). Within the bounds of |x| nothing is subnormal or infinite; outside, x is its
# own value, or the quotient is 1. Largest error in double below 1.5 ulp.
cdef inline floating softsign(floating x) noexcept nogil:
    if floating is float and FUSED:
        return softsign_float(x)
    else:
        return <floating>softsign_double(x)


cdef inline double softsign_double(double x) noexcept nogil:
    cdef double magnitude = fabs(x)
    cdef double bounded = at_most(at_least(magnitude, NEGLIGIBLE), HUGE)
    cdef double quotient = bounded / (1.0 + bounded)
    return copysign(magnitude if magnitude < NEGLIGIBLE else quotient, x)


# In float, half the time of double. The quotient is corrected by what it leaves of |x|, the error of
# the sum included; largest error 0.50001 ulp.
cdef inline float softsign_float(float x) noexcept nogil:
    cdef float one = 1
    cdef float negligible = 9.094947017729282e-13  # 2**-40
    cdef float huge = 1073741824  # 2**30
    cdef float magnitude = fabsf(x)
    cdef float bounded = negligible if magnitude < negligible else magnitude
    bounded = huge if bounded > huge else bounded
    cdef float larger = one if bounded < one else bounded
    cdef float smaller_one = one if bounded > one else bounded
    cdef float total = larger + smaller_one
    cdef float total_low = smaller_one - (total - larger)
    cdef float inverse = one / total
    cdef float quotient = bounded * inverse
    cdef float rest = multiply_add_float(-quotient, total, bounded)
    rest = multiply_add_float(-quotient, total_low, rest)
    quotient = multiply_add_float(rest, inverse, quotient)
    return copysignf(magnitude if magnitude < negligible else quotient, x)


# softsign': 1 / (1 + |x|)**2
cdef inline double softsign_grad(floating x) noexcept nogil:
    cdef double total
    if floating is float:
        total = 1.0 + fabs(<double>x)
        return reciprocal(at_most(total * total, TWO_TO_1000))  # to 34 bits
    else:
        return softsign_grad_double(x)


cdef inline double softsign_grad_from_output(floating y) noexcept nogil:
    cdef double magnitude = fabs(<double>y)
    cdef double difference = 1.0 - magnitude
    cdef double rest
    if floating is double:
        # With the rounding error of the difference; without it, f' is up to 2.4 ulp off.
        rest = (1.0 - difference) - magnitude
        rest = 2.0 * difference * rest if magnitude <= 1 else 0.0
        return multiply_add(difference, difference, rest)
    else:
        return difference * difference


# The square of the reciprocal, with the errors of the sum and of the reciprocal; largest error below
# 1.5 ulp. The square of a reciprocal cannot overflow.
cdef inline double softsign_grad_double(double x) noexcept nogil:
    cdef double bounded = at_most(at_least(fabs(x), NEGLIGIBLE), HUGE)
    cdef double larger = at_least(bounded, 1.0)
    cdef double smaller_one = at_most(bounded, 1.0)
    cdef double total = larger + smaller_one
    cdef double total_low = smaller_one - (total - larger)
    cdef double inverse = 1.0 / total
    cdef double excess = product_error(inverse, total, 1.0) + inverse * total_low
    cdef double square = inverse * inverse
    return multiply_add(square, -2.0 * excess, square)


# squareplus: (x + s) / 2 with s = sqrt(x**2 + b), which is max(x, 0) and an even tail that does not
# cancel, b / 2 / (s + |x|). The derivative is b / 2 / (s (s + |x|)) for x < 0, and 1 minus that for
# x > 0; with b = 0 it is that of relu, and 0 at 0.
cdef inline floating squareplus(floating x, double b) noexcept nogil:
    if floating is double:
        return squareplus_scaled(x, b)
    else:
        return squareplus_default(x) if FUSED and b == 4 else <float>squareplus_short(x, b)


# squareplus(x, b) is squareplus(unit x, unit**2 b) / unit, and f' is the same for both: unit**2 b is 0
# or lies between 2**-400 and 2**400.
cdef inline double squareplus_unit(double b) noexcept nogil:
    cdef double unit = TWO_TO_340 if b < TWO_TO_MINUS_400 else 1.0
    return 1.0 / TWO_TO_340 if b > TWO_TO_400 else unit


# Where unit x overflows, the tail is 0 or vanishes beside x.
cdef inline double squareplus_scaled(double x, double b) noexcept nogil:
    cdef double unit = squareplus_unit(b)
    cdef double value = squareplus_double(unit * x, unit * (unit * b)) * (1.0 / unit)
    return x if x > (TWO_TO_500 if b < TWO_TO_MINUS_400 else INFINITY) else value


# For float: beyond this range results do not change.
cdef inline double squareplus_b(double b) noexcept nogil:
    return b if b == 0 else in_range(b, 1e-140, 1e150)


cdef inline floating squareplus_grad(floating x, double b) noexcept nogil:
    cdef float slope
    cdef double unit
    if floating is double:
        unit = squareplus_unit(b)
        return squareplus_grad_double(unit * x, unit * (unit * b))
    else:
        slope = squareplus_backward_default(F(1.0), x)
        return slope if FUSED and b == 4 else <float>squareplus_grad_short(x, b)


cdef inline floating squareplus_backward(floating g, floating x, double b) noexcept nogil:
    cdef float product
    if floating is double:
        return g * squareplus_grad[double](x, b)
    else:
        product = squareplus_backward_default(g, x)
        return product if FUSED and b == 4 else <float>(g * squareplus_grad_short(x, b))


cdef inline double squareplus_grad_from_output(floating y, double b) noexcept nogil:
    cdef double unit
    if floating is double:
        unit = squareplus_unit(b)
        return squareplus_grad_from_output_double(unit * y, unit * (unit * b))
    else:
        return squareplus_grad_from_output_short(y, b)


# For float, in double: the reciprocal has 34 bits. Infinite sums would have none.
cdef inline double squareplus_short(float x, double b) noexcept nogil:
    cdef double magnitude = fabs(<double>x)
    cdef double near_b = squareplus_b(b)
    cdef double root = sqrt(magnitude * magnitude + near_b)
    cdef double tail = 0.5 * near_b * reciprocal(at_most(root + magnitude, TWO_TO_1000))
    return relu[double](x) + (0.0 if b == 0 else tail)


cdef inline double squareplus_grad_short(float x, double b) noexcept nogil:
    cdef double bounded = at_most(fabs(<double>x), TWO_TO_400)
    cdef double near_b = squareplus_b(b)
    cdef double root = sqrt(bounded * bounded + near_b)
    cdef double product = at_least(root * (root + bounded), TWO_TO_MINUS_1000)
    cdef double tail = 0.5 * near_b * reciprocal(product)
    return 1.0 - tail if x > 0 else tail


cdef inline double squareplus_grad_from_output_short(float y, double b) noexcept nogil:
    cdef double least = 0.0 if b == 0 else -INFINITY  # for b = 0, f has no negative outputs
    cdef double other = least if y < least else y
    cdef double square = at_most(other * other, TWO_TO_1000)
    return square * reciprocal(square + at_least(0.25 * squareplus_b(b), TWO_TO_MINUS_1000))


# s and s + |x|, as sums of two
ctypedef struct scaled_root:
    float value
    float low
    float total
    float total_low


# float, b = 4, half the time of double: s and what follows from it carry their rounding errors along.
# |x| and s are 2**-30 of themselves, so that neither sums nor reciprocals leave the range. s is that
# of at most 2**13: from there on it is |x| to all digits, and its error still within 2**-27. Largest
# error 0.51 ulp, 0.75 for x < -2**13.
cdef inline float squareplus_default(float x) noexcept nogil:
    cdef float two_to_124 = 2.1267647932558654e37
    cdef scaled_root root = squareplus_root_default(x, F(TWO_TO_MINUS_30), two_to_124)
    cdef float inverse = reciprocal_float(root.total)
    cdef float rest = multiply_add_float(-inverse, root.total, F(1.0))
    rest = multiply_add_float(-inverse, root.total_low, rest)
    cdef float tail = multiply_add_float(rest, inverse, inverse) * F(2.0 * TWO_TO_MINUS_30)
    cdef float above = (root.total + root.total_low) * F(0.5 / TWO_TO_MINUS_30)
    return tail if x < 0 else above


# float, b = 4: g times 2 / d, or 1 less that, with d = s (s + |x|) and the quotient as sums of two. As
# above, s is that of at most 2**13. Below -2**50, x and g are 2**-80 of themselves, s is |x|, and the
# rest of the scale goes to the product: nothing leaves the range, unless the result does. All are
# computed as positive numbers: of two signs, zero would be lost, and infinity become inf - inf.
# Largest error 0.51 ulp of the slope, 1 ulp of subnormal products.
cdef inline float squareplus_backward_default(float g, float x) noexcept nogil:
    cdef float two_to_50 = 1125899906842624
    cdef float part = 8.271806125530277e-25  # 2**-80
    cdef bint is_far = x < -two_to_50
    cdef float magnitude = at_least_float(fabsf(x), F(9.094947017729282e-13))  # 2**-40
    cdef float near = at_most_float(magnitude, F(8192.0))
    cdef float square = multiply_add_float(near, near, F(4.0))
    cdef float square_low = multiply_add_float(near, near, F(4.0) - square)
    cdef float root = sqrtf(square)
    cdef float square_rest = multiply_add_float(-root, root, square) + square_low
    root = F(0.0) if is_far else root
    square_rest = F(0.0) if is_far else square_rest
    cdef float scaled = part * magnitude
    magnitude = at_most_float(scaled if is_far else magnitude, two_to_50)
    root = magnitude if root < magnitude else root
    cdef float total = root + magnitude
    cdef float total_low = magnitude - (total - root)
    cdef float d = root * total
    cdef float d_low = multiply_add_float(root, total_low, multiply_add_float(root, total, -d))
    # What square_rest adds to s**2, and half of it times |x| / s = 1 - 4 / d to |x| s
    cdef float inverse = reciprocal_from_bits_float(d)
    d_low = multiply_add_float(square_rest, multiply_add_float(F(-2.0), inverse, F(1.5)), d_low)
    inverse = refined_reciprocal_float(inverse, d)
    cdef float rest = multiply_add_float(-inverse, d, F(1.0))
    rest = multiply_add_float(-inverse, d_low, rest)
    cdef float whole = F(1.0) if x > 0 else F(0.0)
    cdef float signed_tail = (F(-2.0) if x > 0 else F(2.0)) * inverse
    cdef float slope = whole + signed_tail
    cdef float slope_low = multiply_add_float(signed_tail, rest, (whole - slope) + signed_tail)
    cdef float size = fabsf(g)
    scaled = part * size
    size = scaled if is_far else size
    slope_low = slope_low * at_most_float(size, FLT_MAX)
    cdef float product = multiply_add_float(size, slope, slope_low)
    scaled = part * product
    return copysignf(scaled if is_far else product, g)


cdef inline scaled_root squareplus_root_default(float x, float scale, float bound) noexcept nogil:
    cdef scaled_root root
    cdef float magnitude = magnitude_from(x, F(9.094947017729282e-13))  # 2**-40
    cdef float_pair near = root_float(at_most_float(magnitude, F(8192.0)), F(4.0))
    magnitude = at_most_float(magnitude * scale, bound)
    cdef float value = near.high * scale
    root.value = magnitude if value < magnitude else value
    root.low = near.low * scale
    root.total = root.value + magnitude
    root.total_low = (magnitude - (root.total - root.value)) + root.low
    return root


# sqrt(a**2 + b), where a**2 + b is so small that b is a whole number of its ulp: b less its first
# part is exact then. The rest of the root needs no more than a rough reciprocal.
cdef inline float_pair root_float(float a, float b) noexcept nogil:
    cdef float_pair root
    cdef float square = multiply_add_float(a, a, b)
    cdef float square_low = multiply_add_float(a, a, b - square)
    root.high = sqrtf(square)
    cdef float rest = multiply_add_float(-root.high, root.high, square) + square_low
    root.low = rest * (F(0.5) * rough_reciprocal_float(root.high))
    return root


# In double, |x| is a part of itself, so that sums and their reciprocals stay in the range; s is that
# of at most 2**500, from where on it is |x| to all digits. The sum carries its rounding error along;
# largest error below 2 ulp.
cdef inline double squareplus_double(double x, double b) noexcept nogil:
    cdef double part = 5.421010862427522e-20  # 2**-64
    cdef double magnitude = part * at_least(fabs(x), TWO_TO_MINUS_500)
    cdef double near = at_most(magnitude, TWO_TO_500)
    cdef double root = sqrt(multiply_add(near, near, b * (part * part)))
    root = magnitude if root < magnitude else root
    cdef double total = root + magnitude
    cdef double total_low = magnitude - (total - root)
    cdef double inverse = reciprocal(total)
    cdef double quotient = 0.5 * b * inverse
    cdef double rest = multiply_add(-quotient, total_low, remainder(0.5 * b, quotient, total))
    cdef double tail = part * multiply_add(rest, inverse, quotient)
    return relu[double](x) + (0.0 if fabs(x) > DBL_MAX else tail)


# The error of s counts twice here, and is carried along too; largest error below 1 ulp.
cdef inline double squareplus_grad_double(double x, double b) noexcept nogil:
    cdef double part = TWO_TO_MINUS_250
    cdef double magnitude = part * at_most(at_least(fabs(x), TWO_TO_MINUS_500), TWO_TO_740)
    # A smaller square would be subnormal, which takes long, and is 0 beside b.
    cdef double near = at_most(at_least(magnitude, TWO_TO_MINUS_500), TWO_TO_500)
    cdef pair square = two_sum(near * near, b * (part * part))
    square.low = square.low + product_error(near, near, near * near)
    cdef double root = sqrt(square.high)
    cdef double root_low = remainder(square.high, root, root) + square.low
    root = magnitude if root < magnitude else root
    root_low = root_low * (0.5 * rough_reciprocal(root))
    cdef double total = root + magnitude
    cdef double total_low = (magnitude - (total - root)) + root_low
    cdef double product = at_least(root * total, TWO_TO_MINUS_1000)  # b and x may be 0
    cdef double product_low = multiply_add(
        root_low, total, multiply_add(root, total_low, product_error(root, total, product))
    )
    cdef double inverse = reciprocal(product)
    cdef double numerator = b * (0.5 * part * part)
    cdef double quotient = numerator * inverse
    cdef double rest = remainder(numerator, quotient, product)
    rest = multiply_add(-quotient, product_low, rest)
    cdef double tail = multiply_add(rest, inverse, quotient)
    return 1.0 - tail if x > 0 else tail


# y**2 / (y**2 + b / 4), both 2**400 times as large, with the errors of square, sum and quotient
cdef inline double squareplus_grad_from_output_double(double y, double b) noexcept nogil:
    cdef double scaled_y = at_most(fabs(y), TWO_TO_290) * TWO_TO_200
    cdef double square = scaled_y * scaled_y
    cdef double square_low = product_error(scaled_y, scaled_y, square)
    cdef pair total = two_sum(square, b * (0.25 * TWO_TO_400))
    cdef double inverse = reciprocal(total.high)
    cdef double quotient = square * inverse
    cdef double rest = remainder(square, quotient, total.high)
    rest = rest + multiply_add(-quotient, total.low + square_low, square_low)
    cdef double rectified = keep_nan[double](1.0 if y > 0 else 0.0, y)
    return rectified if b == 0 else multiply_add(rest, inverse, quotient)


# sparse_plus: 0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4. In double, the sum carries its
# rounding error along; largest error below 1 ulp. Subnormal x count as 0.
cdef inline floating sparse_plus(floating x) noexcept nogil:
    if floating is float and FUSED:
        return sparse_plus_float(x)
    else:
        return sparse_plus_wide[floating](x)


cdef inline floating sparse_plus_wide(floating x) noexcept nogil:
    cdef double bounded = at_least(<double>x, -1.0)
    cdef double total = bounded + 1.0
    cdef double low, square
    if floating is float:
        square = total * total
    else:
        low = (0.0 if fabs(x) < DBL_MIN else bounded) - (total - 1.0)
        square = multiply_add(total, total, (total + total) * low)
    return x if x >= 1 else <floating>(square * 0.25)


# In float the same as in double; largest error 0.50001 ulp.
cdef inline float sparse_plus_float(float x) noexcept nogil:
    cdef float bounded = at_least_float(x, F(-1.0))
    cdef float total = bounded + F(1.0)
    cdef float low = (F(0.0) if fabsf(x) < FLT_MIN else bounded) - (total - F(1.0))
    cdef float square = multiply_add_float(total, total, (total + total) * low)
    return x if x >= 1 else square * F(0.25)


cdef inline double sparse_plus_grad(floating x) noexcept nogil:
    return at_most(at_least(<double>x + 1.0, 0.0), 2.0) * 0.5


cdef inline double sparse_plus_grad_from_output(floating y) noexcept nogil:
    if floating is double:
        return sqrt(at_most(at_least(y, 0.0), 1.0))
    else:
        return root_of[float](at_most_float(relu[float](y), F(1.0)))


cdef inline floating sparse_plus_backward_from_output(floating g, floating y) noexcept nogil:
    if floating is float and FUSED:
        return times_root(g, at_most_float(relu[float](y), F(1.0)))
    else:
        return <floating>(g * sparse_plus_grad_from_output[floating](y))


# g sqrt(y) for outputs of sparse_plus: y is 0 or at least 2**-50, so what the root leaves of y is exact.
# The root carries its rounding error along; an infinite product would become inf - inf, and a zero
# lose its sign, so these stay. Largest error 0.51 ulp.
cdef inline float times_root(float g, float y) noexcept nogil:
    cdef float root = sqrtf(y)
    cdef float rest = multiply_add_float(-root, root, y)
    cdef float low = rest * (F(0.5) * rough_reciprocal_float(root))
    cdef float product = g * root
    cdef float whole = multiply_add_float(g, root, g * low)
    whole = whole if fabsf(product) > 0 else product
    return whole if fabsf(product) <= FLT_MAX else product


# sparse_sigmoid: clip((x + 1) / 2, 0, 1), rounded once
cdef inline floating sparse_sigmoid(floating x) noexcept nogil:
    cdef floating half = 0.5
    cdef floating total = x + 1
    cdef floating lower_clipped = 0 if total < 0 else total
    return (2 if lower_clipped > 2 else lower_clipped) * half


cdef inline floating sparse_sigmoid_grad(floating x) noexcept nogil:
    cdef floating half = 0.5, quarter = 0.25
    cdef floating magnitude = -x if x < 0 else x
    cdef floating beyond = quarter if magnitude == 1 else 0  # as in JAX
    return keep_nan[floating](half if magnitude < 1 else beyond, x)


cdef inline floating sparse_sigmoid_grad_from_output(floating y) noexcept nogil:
    cdef floating half = 0.5
    cdef floating below = half if y < 1 else 0
    return keep_nan[floating](below if y > 0 else 0, y)


# dish: x (1 + x / s) / 2 with s = sqrt(1 + x**2), which is max(x, 0) less an even tail that does not
# cancel, |x| / 2 / (s**2 + |x| s).
cdef inline floating dish(floating x) noexcept nogil:
    if floating is double:
        return dish_double(x)
    else:
        return dish_float(x) if FUSED else <float>dish_short(x)


# For float, in double; the reciprocal has 34 bits.
cdef inline double dish_short(float x) noexcept nogil:
    cdef double magnitude = fabs(<double>x)
    cdef double square = 1.0 + magnitude * magnitude
    cdef double inverse = reciprocal(at_most(square + magnitude * sqrt(square), TWO_TO_1000))
    cdef double tail = at_most(0.5 * magnitude, TWO_TO_400) * inverse
    return positive_part(x) - tail


# The same in half the time: sums and products carry their rounding errors along, and from 2**12 on
# the tail is 1 / (4 |x| + 3 / |x|). Largest error 0.51 ulp, 0.75 for subnormal results.
cdef inline float dish_float(float x) noexcept nogil:
    cdef float two_to_12 = 4096
    cdef float magnitude = fabsf(x)
    cdef float near = at_most_float(magnitude, two_to_12)
    cdef float square = multiply_add_float(near, near, F(1.0))
    cdef float square_low = multiply_add_float(near, near, F(1.0) - square)
    cdef float root = sqrtf(square)
    cdef float rough = rough_reciprocal_float(root)
    cdef float root_low = multiply_add_float(-root, root, square) + square_low
    root_low = root_low * (F(0.5) * rough)
    cdef float product = near * root
    cdef float product_low = multiply_add_float(near, root, -product)
    product_low = multiply_add_float(near, root_low, product_low)
    cdef float total = square + product
    cdef float total_low = (product - (total - square)) + (square_low + product_low)
    total = F(0.125) * magnitude if magnitude > two_to_12 else total
    total_low = F(0.09375) * rough if magnitude > two_to_12 else total_low
    cdef float half = F(0.5) * magnitude
    cdef float numerator = F(0.03125) if magnitude > two_to_12 else half
    cdef float inverse = reciprocal_float(total)
    cdef float tail = numerator * inverse
    cdef float rest = multiply_add_float(-tail, total, numerator)
    rest = multiply_add_float(-tail, total_low, rest)
    cdef float rectified = positive_part_float(x)
    cdef float difference = rectified - tail
    cdef float difference_low = (rectified - difference) - tail
    cdef float value = difference - multiply_add_float(rest, inverse, -difference_low)
    return rectified if magnitude > FLT_MAX else value


# In double the same, but that the errors of v, of its root and of the difference stay, and that the
# tail is 1 / (4 |x|) from 2**28 on; largest error below 2 ulp. For subnormal x it is x / 2.
cdef inline double dish_double(double x) noexcept nogil:
    cdef double shifted_x = shifted_mantissa(x)
    cdef double other = shifted_x if is_subnormal(x) else x
    cdef double magnitude = fabs(other)
    cdef pair divisor = dish_divisor(at_most(at_least(magnitude, NEGLIGIBLE), TWO_TO_28))
    cdef bint is_far = magnitude > TWO_TO_28
    cdef double total = TWO_TO_MINUS_32 * magnitude if is_far else divisor.high
    cdef double total_low = 0.0 if is_far else divisor.low
    cdef double half = 0.5 * magnitude
    cdef double numerator = 0.25 * TWO_TO_MINUS_32 if is_far else half
    cdef double inverse = reciprocal(total)
    cdef double quotient = numerator * inverse
    cdef double rest = multiply_add(-quotient, total_low, remainder(numerator, quotient, total))
    cdef double rectified = positive_part(other)
    cdef double value = rectified - multiply_add(rest, inverse, quotient)
    value = rectified if magnitude > DBL_MAX else value
    return copysign(half_of_shifted(shifted_x) if is_subnormal(x) else value, x)


# v + a sqrt(v), v = 1 + a**2; products that are not fused are rounded too, so all is needed there.
cdef inline pair dish_divisor(double a) noexcept nogil:
    cdef double v, root, total
    cdef dish_sum parts
    if FUSED:
        v = multiply_add(a, a, 1.0)
        root = sqrt(v)
        total = multiply_add(a, root, v)
        return make_pair(total, multiply_add(a, root, v - total))
    else:
        parts = dish_total(a)
        return make_pair(parts.total, parts.total_low)


# Of a >= 0: v = 1 + a**2, p = a sqrt(v) and v + p, as sums of two; where the processor fuses, up to
# 2**26
ctypedef struct dish_sum:
    pair square
    pair product
    double total
    double total_low


cdef inline dish_sum dish_total(double a) noexcept nogil:
    cdef dish_sum parts
    cdef pair v = one_plus_square(a)
    cdef double root = sqrt(v.high)
    cdef double half = 0.5 * rough_reciprocal(root)
    cdef double root_low = (remainder(v.high, root, root) + v.low) * half
    cdef double p = a * root
    cdef double p_low = multiply_add(a, root_low, product_error(a, root, p))
    parts.square = v
    parts.product = make_pair(p, p_low)
    parts.total = v.high + p
    parts.total_low = (p - (parts.total - v.high)) + (v.low + p_low)
    return parts


cdef inline pair one_plus_square(double a) noexcept nogil:
    cdef pair result
    cdef double square
    if FUSED:  # 1 less the first part is exact, for a**2 < 2**53
        result.high = multiply_add(a, a, 1.0)
        result.low = multiply_add(a, a, 1.0 - result.high)
    else:
        square = a * a
        result = two_sum(1.0, square)
        result.low = result.low + product_error(a, a, square)
    return result


# dish': for x < 0, (1 - p) / 2 / (v (v + p)) with v = 1 + x**2, p = |x| sqrt(v), and for x > 0 1 less
# that. 1 - p is (1 - x**2 v) / (1 + p), which keeps its digits near the root, where
# x**2 = (sqrt(5) - 1) / 2.
cdef inline double dish_grad(floating x) noexcept nogil:
    if floating is double:
        return dish_grad_double(x)
    else:
        return dish_grad_short(x)


# Squares of float are exact in double.
cdef inline double dish_grad_short(float x) noexcept nogil:
    cdef double magnitude = at_most(fabs(<double>x), TWO_TO_150)
    cdef double square = magnitude * magnitude
    cdef double v = 1.0 + square
    cdef double p = magnitude * sqrt(v)
    cdef double numerator = 0.5 * multiply_add(-square, v, 1.0)
    cdef double tail = numerator * reciprocal(v * (v + p) * (1.0 + p))
    return tail if x < 0 else 1.0 - tail


# Numerator, denominator and quotient as sums of two. The denominator, v (v + p) (1 + p), is
# v (v**2 + p (1 + v)). From 2**26 on it is -1 / (4 x**2 + 9). Largest error below 1 ulp.
cdef inline double dish_grad_double(double x) noexcept nogil:
    cdef double magnitude = at_most(at_least(fabs(x), NEGLIGIBLE), TWO_TO_540)
    cdef double near = at_most(magnitude, TWO_TO_26)
    cdef dish_sum parts = dish_total(near)
    cdef pair numerator = dish_grad_numerator(near, parts.square)
    cdef pair denominator = dish_grad_denominator(parts.square, parts.product)
    cdef double far = TWO_TO_MINUS_50 * magnitude
    cdef bint is_far = magnitude > TWO_TO_26
    cdef double d = far * far if is_far else denominator.high
    cdef double unit = TWO_TO_MINUS_50 * TWO_TO_MINUS_50
    cdef double far_low = product_error(far, far, far * far) + 2.25 * unit
    cdef double d_low = far_low if is_far else denominator.low
    cdef double n = -0.5 * unit if is_far else numerator.high
    cdef double n_low = 0.0 if is_far else numerator.low
    cdef double inverse = reciprocal(d)
    cdef double quotient = n * inverse
    cdef double rest = multiply_add(-quotient, d_low, remainder(n, quotient, d)) + n_low
    cdef double tail = 0.5 * multiply_add(rest, inverse, quotient)
    return tail if x < 0 else 1.0 - tail


# 1 - a**2 - a**4 = (r - a) (r + a) (1 + a**2 + r**2), r minus the root of dish'
cdef inline pair dish_grad_numerator(double a, pair v) noexcept nogil:
    cdef pair distance = two_sum(-DISH_ROOT_0, -a)
    distance = fast_two_sum(distance.high, distance.low - DISH_ROOT_1)
    cdef pair total = two_sum(-DISH_ROOT_0, a)
    cdef pair factor = fast_two_sum(v.high, DISH_ROOT_SQUARED_0)
    factor.low = factor.low + (v.low + DISH_ROOT_SQUARED_1)
    cdef pair product = two_product(total.high, factor.high)
    total.low = total.low - DISH_ROOT_1
    product.low = product.low + multiply_add(total.high, factor.low, total.low * factor.high)
    cdef pair result = two_product(distance.high, product.high)
    result.low = result.low + multiply_add(
        distance.high, product.low, distance.low * product.high
    )
    return result


# v (v**2 + p (1 + v))
cdef inline pair dish_grad_denominator(pair v, pair p) noexcept nogil:
    cdef pair square = two_product(v.high, v.high)
    square.low = multiply_add(v.high + v.high, v.low, square.low)
    cdef pair factor = fast_two_sum(v.high, 1.0)
    factor.low = factor.low + v.low
    cdef pair other = two_product(p.high, factor.high)
    other.low = other.low + multiply_add(p.high, factor.low, p.low * factor.high)
    cdef pair total = two_sum(square.high, other.high)
    total.low = total.low + (square.low + other.low)
    cdef pair product = two_product(v.high, total.high)
    product.low = product.low + multiply_add(v.high, total.low, v.low * total.high)
    return product
