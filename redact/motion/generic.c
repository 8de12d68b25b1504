// The work on cells for any processor.
#define CELLS(name) scrim_cells_##name##_generic
#include "kernel.h"
