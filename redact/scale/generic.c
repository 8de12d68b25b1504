// Scaling for any processor.
#define SCALE scrim_scale_generic
#include "kernel.h"
