// What the check for weak symbols has to find: a function as in headers, which is not inlined.

namespace mcvol::planted {

[[gnu::noinline]] inline int smaller(int a, int b) { return a < b ? a : b; }

int (*const volatile kSmaller)(int, int) = smaller;

}  // namespace mcvol::planted
