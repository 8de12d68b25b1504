#ifndef SCRIM_DNN_H
#define SCRIM_DNN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// All return 0, or 1 and a message in err, which has room for errlen bytes.

void scrim_set_threads(int n);
int scrim_net_read(const void *onnx, size_t bytes, void **net, char *err, size_t errlen);
// Runs net on blob (a cv::Mat*) and copies the outputs, one after the other, to
// dst, which has room for cap floats; lens gets the length of each.
int scrim_net_forward(void *net, const void *blob, const char *const *names, int n,
                      float *dst, size_t cap, int *lens, char *err, size_t errlen);
void scrim_net_free(void *net);

#ifdef __cplusplus
}
#endif
#endif
