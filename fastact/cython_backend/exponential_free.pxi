# f and f' of the activations that need no exponential, for float and double alike.
#
# Comparisons are written so that NaN takes the branch that keeps it: `0 if x < 0 else x` passes
# NaN and -0.0 on and is one instruction, `x if x > 0 else 0` would swallow NaN. Where the
# definition rounds nothing, nothing is rounded here. Derivatives that a parameter enters are
# returned in double, so that backward rounds once.


cdef inline floating keep_nan(floating derivative, floating x) noexcept nogil:
    return derivative if x == x else x


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


# leaky_relu: x if x > 0 else negative_slope * x; the product is rounded once, from double. For the
# slope 0, -inf stops at the lowest finite number: 0 * inf would be NaN.
cdef inline floating leaky_relu(floating x, double negative_slope) noexcept nogil:
    cdef double bounded = at_least(x, -DBL_MAX if negative_slope == 0 else -INFINITY)
    return x if x > 0 else <floating>(negative_slope * bounded)


cdef inline double leaky_relu_grad(floating x, double negative_slope) noexcept nogil:
    cdef double slope = 1 if x > 0 else negative_slope
    return slope if x == x else x


cdef inline double leaky_relu_grad_from_output(floating y, double negative_slope) noexcept nogil:
    return leaky_relu_grad[floating](y, negative_slope)


# hard_swish: x * clip(x/6 + 1/2, 0, 1) = x (x + 3) / 6 for -3 < x < 3
#
# float: the product is exact in double, but for tiny x; largest error 0.5000001 ulp.
# double: x + 3 and the product carry their rounding errors along; largest error about 1 ulp.
# At and below -3 the result is x * 0 = -0.0, also at -inf.
cdef inline double hard_swish(floating x) noexcept nogil:
    cdef double inner
    if floating is float:
        inner = <double>x * (<double>x + 3.0) * (1.0 / 6.0)
    else:
        inner = hard_swish_inner_double(x)
    return -0.0 if x <= -3 else x if x >= 3 else inner


# hard_swish': x/3 + 1/2 = (2 x + 3) / 6 for -3 < x < 3; the sum is exact near the root at -3/2
cdef inline double hard_swish_grad(floating x) noexcept nogil:
    cdef double inner = (2.0 * x + 3.0) / 6.0
    return 0.0 if x <= -3 else 1.0 if x >= 3 else inner


cdef inline double hard_swish_inner_double(double x) noexcept nogil:
    cdef double bounded = 3.0 if fabs(x) > 3.0 else x  # what is not selected must not overflow
    cdef pair total = two_sum(bounded, 3.0)
    cdef pair product = two_product(bounded, total.high)
    product.low = product.low + bounded * total.low
    return copysign(product.high / 6.0 + product.low / 6.0, x)  # zero has the sign of x
