# f and f' of the activations that need no exponential, for float and double alike.
#
# Comparisons are written so that NaN takes the branch that keeps it: `0 if x < 0 else x` passes
# NaN and -0.0 on and is one instruction, `x if x > 0 else 0` would swallow NaN. Where the
# definition rounds nothing, nothing is rounded here. Derivatives that a parameter enters are
# returned in double, so that backward rounds once. Where g f'(x) can be had for less than f'(x) and a
# product, there is a function `name_backward` too.


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
    #define FASTACT_NEGLIGIBLE 8.673617379884035e-19 /* 2**-60 */
    #define FASTACT_HUGE 1e200
    """
    const double SIXTH "FASTACT_SIXTH"
    const float SIXTH_SHORT "FASTACT_SIXTH_SHORT"
    const float SIXTH_REST "FASTACT_SIXTH_REST"
    const double SIXTH_LOW "FASTACT_SIXTH_LOW"
    const double LARGEST_SUBNORMAL "FASTACT_LARGEST_SUBNORMAL"
    const double SMALLEST "FASTACT_SMALLEST"
    # Added to 1 these change nothing, or are all that is left.
    const double NEGLIGIBLE "FASTACT_NEGLIGIBLE"
    const double HUGE "FASTACT_HUGE"


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


# 2 g max(x, 0): 2 x may overflow where this does not
cdef inline floating squared_relu_backward(floating g, floating x) noexcept nogil:
    cdef double product = <double>g * <double>relu[floating](x)
    return <floating>(product + product)


cdef inline double squared_relu_grad_from_output(floating y) noexcept nogil:
    cdef double root = sqrt(<double>relu[floating](y))
    return root + root


# leaky_relu: x if x > 0 else negative_slope * x; the product is rounded once, from double. For the
# slope 0, -inf stops at the lowest finite number: 0 * inf would be NaN.
cdef inline floating leaky_relu(floating x, double negative_slope) noexcept nogil:
    cdef floating bound, product
    if floating is double:
        return leaky_relu_double(x, negative_slope)
    else:
        bound = <float>(-FLT_MAX if negative_slope == 0 else -INFINITY)
        product = <float>(negative_slope * (bound if x < bound else x))
        return x if x > 0 else product


# From `least` on the mantissa is multiplied. A zero is its own product but for a negative slope.
cdef inline double leaky_relu_double(double x, double slope) noexcept nogil:
    cdef double least = -LARGEST_SUBNORMAL if FUSED and slope > 0 else INFINITY
    least = INFINITY if slope > 1 else least
    least = -INFINITY if slope == 0 else least
    cdef double low = slope * (0.0 if x >= least else x)
    low = minus_part_of_subnormal(x, slope) if x >= least else low
    return x if x >= (0.0 if slope >= 0 else SMALLEST) else low


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
    cdef floating constant = value
    return constant if x <= threshold else x


cdef inline floating threshold_grad(floating x, double threshold, double value) noexcept nogil:
    return keep_nan[floating](1 if x > threshold else 0, x)


# hard_tanh: min(max(x, min_val), max_val). Comparisons with a rounded bound give the rounded result,
# but derivatives compare with the bound itself.
cdef inline floating hard_tanh(floating x, double min_val, double max_val) noexcept nogil:
    cdef floating low = min_val
    cdef floating high = max_val
    cdef floating lower_clipped = low if x < low else x
    return high if lower_clipped > high else lower_clipped


cdef inline floating hard_tanh_grad(floating x, double min_val, double max_val) noexcept nogil:
    cdef floating below = 1 if x < max_val else 0
    return keep_nan[floating](below if x > min_val else 0, x)


cdef inline floating hard_tanh_grad_from_output(
    floating y, double min_val, double max_val
) noexcept nogil:
    return hard_tanh_grad[floating](y, min_val, max_val)


# hard_shrink: x if abs(x) > lambd else 0
cdef inline floating hard_shrink(floating x, double lambd) noexcept nogil:
    cdef floating not_above = 0 if x <= lambd else x
    return not_above if x >= -lambd else x


cdef inline floating hard_shrink_grad(floating x, double lambd) noexcept nogil:
    cdef floating above = 1 if x > lambd else 0
    return keep_nan[floating](1 if x < -lambd else above, x)


cdef inline floating hard_shrink_grad_from_output(floating y, double lambd) noexcept nogil:
    return hard_shrink_grad[floating](y, lambd)


# soft_shrink: sign(x) max(abs(x) - lambd, 0) = x - clip(x, -lambd, lambd), in double where lambd is
# not of the type of x. Zero has the sign of x.
cdef inline floating soft_shrink(floating x, double lambd) noexcept nogil:
    cdef floating bound = lambd
    cdef floating rest = x - hard_tanh[floating](x, -bound, bound)
    cdef double wide = <double>x
    if floating is float:
        rest = rest if bound == lambd else <float>(wide - hard_tanh[double](wide, -lambd, lambd))
    return <floating>copysign(rest, x)


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
        return total + rest if fabs(total) < 1 else total


# 0 for this slope and this offset only: one comparison, where gcc makes branches of two
cdef inline double apart(double slope, double this_slope, double offset, double this_offset) noexcept nogil:
    return fabs(slope - this_slope) + fabs(offset - this_offset)


# What 1/6 is more than the double nearest to it, which stands for it
cdef inline double low_part(double slope) noexcept nogil:
    return SIXTH_LOW if slope == SIXTH else 0.0


# slope x + offset - bound, with the right sign; NaN where the line meets an infinite bound
cdef inline double excess(double x, double slope, double offset, double bound) noexcept nogil:
    cdef double difference = offset - bound
    cdef double taken = difference - offset
    cdef double rest = (offset - (difference - taken)) - (bound + taken)
    rest = 0.0 if fabs(difference) > DBL_MAX else rest
    return linear(x, slope, low_part(slope), difference) + rest


# clipped_linear: clip(slope x + offset, min_val, max_val). The line of slope 1 through 0 is x itself; for
# float, that spares conversions; for double, gcc would make a branch of the choice.
cdef inline floating clipped_linear(
    floating x, double slope, double offset, double min_val, double max_val
) noexcept nogil:
    cdef double addend = -0.0 if offset == 0 else offset  # -0.0 + -0.0 is -0.0
    cdef floating line = <floating>linear(x, slope, low_part(slope), addend)
    if floating is float:
        line = x if apart(slope, 1.0, offset, 0.0) == 0 else line
    return hard_tanh[floating](line, min_val, max_val)


cdef inline double clipped_linear_grad(
    floating x, double slope, double offset, double min_val, double max_val
) noexcept nogil:
    cdef double above_high = excess(x, slope, offset, max_val)
    cdef double below_low = -excess(x, slope, offset, min_val)
    # One comparison of what is larger: gcc makes a branch of two.
    cdef double outside = above_high if above_high > below_low else below_low
    cdef double inside = slope if x == x else x
    cdef double of_line = 0.0 if outside >= 0 else inside
    cdef double of_x
    if floating is float:
        of_x = hard_tanh_grad[floating](x, min_val, max_val)
        return of_x if apart(slope, 1.0, offset, 0.0) == 0 else of_line
    else:
        return of_line


cdef inline double clipped_linear_grad_from_output(
    floating y, double slope, double offset, double min_val, double max_val
) noexcept nogil:
    cdef double between = slope if y < max_val else 0
    between = between if y > min_val else 0
    return between if y == y else y


# hard_sigmoid: clip(slope x + offset, 0, 1)
cdef inline floating hard_sigmoid(floating x, double slope, double offset) noexcept nogil:
    cdef floating of_line = clipped_linear[floating](x, slope, offset, 0.0, 1.0)
    return sixth_above[floating](x) if apart(slope, SIXTH, offset, 0.5) == 0 else of_line


cdef inline double hard_sigmoid_grad(floating x, double slope, double offset) noexcept nogil:
    cdef double of_line = clipped_linear_grad[floating](x, slope, offset, 0.0, 1.0)
    cdef double between = clipped_linear_grad_from_output[floating](x, slope, offset, -3.0, 3.0)
    return between if apart(slope, SIXTH, offset, 0.5) == 0 else of_line


cdef inline double hard_sigmoid_grad_from_output(
    floating y, double slope, double offset
) noexcept nogil:
    return clipped_linear_grad_from_output[floating](y, slope, offset, 0.0, 1.0)


# (x + 3) / 6 for -3 < x < 3; the sum carries its rounding error along. In float as in
# hard_swish_product_float, largest error 0.50001 ulp; in double below 1 ulp.
cdef inline floating sixth_above(floating x) noexcept nogil:
    cdef floating three = 3
    cdef floating bounded = hard_tanh[floating](x, -3.0, 3.0)
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
    of_line = 0.0 if linear(x, slope, low_part(slope), offset) <= 0 else of_line
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
        return 1.0 / (total * total)
    else:
        return softsign_grad_double(x)


cdef inline double softsign_grad_from_output(floating y) noexcept nogil:
    cdef double difference = 1.0 - fabs(<double>y)
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


# sparse_plus: 0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4. In double, the sum carries its
# rounding error along; largest error below 1 ulp. Subnormal x count as 0.
cdef inline floating sparse_plus(floating x) noexcept nogil:
    cdef double bounded = at_least(<double>x, -1.0)
    cdef double total = bounded + 1.0
    cdef double low, square
    if floating is float:
        square = total * total
    else:
        low = (0.0 if fabs(x) < DBL_MIN else bounded) - (total - 1.0)
        square = multiply_add(total, total, (total + total) * low)
    return x if x >= 1 else <floating>(square * 0.25)


cdef inline double sparse_plus_grad(floating x) noexcept nogil:
    return at_most(at_least(<double>x + 1.0, 0.0), 2.0) * 0.5


cdef inline double sparse_plus_grad_from_output(floating y) noexcept nogil:
    return sqrt(at_most(at_least(<double>y, 0.0), 1.0))


# sparse_sigmoid: clip((x + 1) / 2, 0, 1), rounded once
cdef inline floating sparse_sigmoid(floating x) noexcept nogil:
    cdef floating half = 0.5
    cdef floating total = x + 1
    cdef floating lower_clipped = 0 if total < 0 else total
    return (2 if lower_clipped > 2 else lower_clipped) * half


cdef inline floating sparse_sigmoid_grad(floating x) noexcept nogil:
    cdef floating half = 0.5
    cdef floating below = half if x < 1 else 0
    return keep_nan[floating](below if x > -1 else 0, x)


cdef inline floating sparse_sigmoid_grad_from_output(floating y) noexcept nogil:
    cdef floating half = 0.5
    cdef floating below = half if y < 1 else 0
    return keep_nan[floating](below if y > 0 else 0, y)
