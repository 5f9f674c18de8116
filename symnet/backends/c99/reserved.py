"""Names that C's library has taken: functions, macros and types of C99 and C++, and functions of POSIX.

In: nothing.  Out: sets.  An argument of such a name hides a function or is replaced by a macro; a function of such a
name takes the library's place in every program that it is linked to.

Source: ISO/IEC 9899:1999, annex B; IEEE Std 1003.1, volume System Interfaces.
"""

from __future__ import annotations

import re
from itertools import product

_REAL_FUNCTIONS = """
    acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb ldexp log log10 log1p
    log2 logb modf scalbn scalbln cbrt fabs hypot pow sqrt erf erfc lgamma tgamma ceil floor nearbyint rint lrint llrint
    round lround llround trunc fmod remainder remquo copysign nan nextafter nexttoward fdim fmax fmin fma
"""
_COMPLEX_FUNCTIONS = """
    cacos casin catan ccos csin ctan cacosh casinh catanh ccosh csinh ctanh cexp clog cabs cpow csqrt carg cimag conj
    cproj creal
"""
_FUNCTIONS = """
    isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit tolower toupper
    feclearexcept fegetexceptflag feraiseexcept fesetexceptflag fetestexcept fegetround fesetround fegetenv feholdexcept
    fesetenv feupdateenv imaxabs imaxdiv strtoimax strtoumax wcstoimax wcstoumax setlocale localeconv longjmp setjmp
    signal raise remove rename tmpfile tmpnam fclose fflush fopen freopen setbuf setvbuf fprintf fscanf printf scanf
    snprintf sprintf sscanf vfprintf vfscanf vprintf vscanf vsnprintf vsprintf vsscanf fgetc fgets fputc fputs getc
    getchar gets putc putchar puts ungetc fread fwrite fgetpos fseek fsetpos ftell rewind clearerr feof ferror perror
    atof atoi atol atoll strtod strtof strtold strtol strtoll strtoul strtoull rand srand calloc free malloc realloc
    abort atexit exit getenv system bsearch qsort abs labs llabs div ldiv lldiv mblen mbtowc wctomb mbstowcs wcstombs
    memcpy memmove strcpy strncpy strcat strncat memcmp strcmp strcoll strncmp strxfrm memchr strchr strcspn strpbrk
    strrchr strspn strstr strtok memset strerror strlen clock difftime mktime time asctime ctime gmtime localtime
    strftime wprintf wscanf btowc aligned_alloc
"""
_POSIX = """
    j0 j1 jn y0 y1 yn gamma scalb accept access alarm bind chdir chmod chown close connect creat dup execve fork
    ftruncate getpid ioctl kill link listen lseek mkdir mmap munmap nice open pause pipe poll read recv rmdir select
    send shutdown sigaction sleep socket stat symlink sync truncate umask unlink usleep wait waitpid write environ index
    rindex basename dirname strdup random srandom getopt optarg optind signgam daylight timezone tzname
"""
_MACROS = """
    assert NDEBUG complex imaginary errno EDOM EILSEQ ERANGE EOF BUFSIZ FILENAME_MAX FOPEN_MAX L_tmpnam SEEK_CUR
    SEEK_END SEEK_SET TMP_MAX EXIT_FAILURE EXIT_SUCCESS RAND_MAX MB_CUR_MAX HUGE_VAL HUGE_VALF HUGE_VALL INFINITY NAN
    FP_INFINITE FP_NAN FP_NORMAL FP_SUBNORMAL FP_ZERO FP_FAST_FMA FP_ILOGB0 FP_ILOGBNAN MATH_ERRNO MATH_ERREXCEPT
    math_errhandling fpclassify isfinite isinf isnan isnormal signbit isgreater isless islessgreater isunordered
    CHAR_BIT CHAR_MAX CHAR_MIN INT_MAX INT_MIN LONG_MAX LONG_MIN LLONG_MAX LLONG_MIN SCHAR_MAX SCHAR_MIN SHRT_MAX
    SHRT_MIN UCHAR_MAX UINT_MAX ULONG_MAX ULLONG_MAX USHRT_MAX SIZE_MAX PTRDIFF_MAX PTRDIFF_MIN CLOCKS_PER_SEC
    DBL_MAX DBL_MIN DBL_EPSILON FLT_MAX FLT_MIN FLT_EPSILON FLT_RADIX FLT_ROUNDS FLT_EVAL_METHOD DECIMAL_DIG
    SIG_DFL SIG_ERR SIG_IGN SIGABRT SIGFPE SIGILL SIGINT SIGSEGV SIGTERM offsetof va_arg va_copy va_end va_start
    M_E M_PI M_PI_2 M_SQRT2 M_LN2 near far small interface
"""  # the last four of Windows
_TYPES = """
    FILE size_t ptrdiff_t wchar_t wint_t time_t clock_t tm div_t ldiv_t lldiv_t fpos_t va_list jmp_buf sig_atomic_t
    mbstate_t fenv_t fexcept_t lconv intmax_t uintmax_t intptr_t uintptr_t float_t double_t std
"""  # the last of C++

_INTEGERS = {
    f"{sign}int{kind}{bits}_t" for sign, kind, bits in product(("", "u"), ("", "_least", "_fast"), (8, 16, 32, 64))
}
_STANDARD = {name + kind for name in (_REAL_FUNCTIONS + _COMPLEX_FUNCTIONS).split() for kind in ("", "f", "l")}
STANDARD = frozenset({*_STANDARD, *_INTEGERS, *(_FUNCTIONS + _MACROS + _TYPES).split()})
"""Names of C99's library, which arguments do not have; and those that follow a pattern."""
PATTERNS = re.compile(r"U?INT\w*_(MIN|MAX|C)\Z|(PRI|SCN)[a-zX](8|16|32|64|LEAST|FAST|MAX|PTR)\d*\Z")

LIBRARY = STANDARD | set(_POSIX.split())
"""Names of libraries, which functions do not have."""
