// Mending for any processor.
#define MEND scrim_mend_generic
#include "kernel.h"
