# Compensated arithmetic: a pair is the unevaluated sum of two doubles, |low| <= ulp(high) / 2 or
# a little more. The error of a product is a fused multiply-add away; processors without one split
# the factors, see T. J. Dekker, A floating-point technique for extending the available precision,
# Numerische Mathematik 18, 1971. The compiler must not contract or reorder (setup.py sees to that).

ctypedef struct pair:
    double high
    double low


# high + low = a + b exactly; |a| >= |b| or a = 0
cdef inline pair fast_two_sum(double a, double b) noexcept nogil:
    cdef pair result
    result.high = a + b
    result.low = b - (result.high - a)
    return result


# high + low = a + b exactly
cdef inline pair two_sum(double a, double b) noexcept nogil:
    cdef pair result
    result.high = a + b
    cdef double b_part = result.high - a
    result.low = (a - (result.high - b_part)) + (b - b_part)
    return result


# high + low = a * b exactly; |a|, |b| < 2**996, and nothing may underflow
cdef inline pair two_product(double a, double b) noexcept nogil:
    cdef pair result
    result.high = a * b
    result.low = product_error(a, b, result.high)
    return result


cdef inline pair add(pair a, pair b) noexcept nogil:
    cdef pair total = two_sum(a.high, b.high)
    return fast_two_sum(total.high, total.low + (a.low + b.low))


cdef inline pair add_double(pair a, double b) noexcept nogil:
    cdef pair total = two_sum(a.high, b)
    return fast_two_sum(total.high, total.low + a.low)


cdef inline pair multiply(pair a, pair b) noexcept nogil:
    cdef pair product = two_product(a.high, b.high)
    return fast_two_sum(product.high, product.low + (a.high * b.low + a.low * b.high))


cdef inline pair divide(pair a, pair b) noexcept nogil:
    cdef double quotient = a.high / b.high
    cdef pair product = two_product(quotient, b.high)
    cdef double remainder = ((a.high - product.high) - product.low) + (a.low - quotient * b.low)
    return fast_two_sum(quotient, remainder / b.high)


# b is a power of two
cdef inline pair scale(pair a, double b) noexcept nogil:
    cdef pair result
    result.high = a.high * b
    result.low = a.low * b
    return result


cdef inline pair make_pair(double high, double low) noexcept nogil:
    cdef pair result
    result.high = high
    result.low = low
    return result


cdef inline pair select(bint condition, pair if_true, pair if_false) noexcept nogil:
    cdef pair result
    result.high = if_true.high if condition else if_false.high
    result.low = if_true.low if condition else if_false.low
    return result
