// The surface for any processor.
#define SURFACE scrim_surface_generic
#include "kernel.h"
