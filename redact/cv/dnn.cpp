#include "dnn.h"

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

namespace {

int fail(char *err, size_t errlen, const char *what) {
    snprintf(err, errlen, "%s", what);
    for (char *c = err; *c; c++)
        if (*c == '\n' || *c == '\r') *c = ' ';
    return 1;
}

template <typename F> int guarded(char *err, size_t errlen, F f) {
    try {
        return f();
    } catch (const std::exception &e) {
        return fail(err, errlen, e.what());
    } catch (...) {
        return fail(err, errlen, "unknown C++ exception");
    }
}

} // namespace

extern "C" void scrim_set_threads(int n) {
    cv::setNumThreads(n);
    // Errors come back as errors; OpenCV's own log would say them again.
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
}

extern "C" int scrim_net_read(const void *onnx, size_t bytes, void **net, char *err, size_t errlen) {
    return guarded(err, errlen, [&] {
        cv::dnn::Net n = cv::dnn::readNetFromONNX(static_cast<const char *>(onnx), bytes);
        if (n.empty()) return fail(err, errlen, "the file holds no network");
        n.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        n.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        *net = new cv::dnn::Net(n);
        return 0;
    });
}

extern "C" int scrim_net_forward(void *net, const void *blob, const char *const *names, int n,
                                 float *dst, size_t cap, int *lens, char *err, size_t errlen) {
    return guarded(err, errlen, [&] {
        auto *dnn = static_cast<cv::dnn::Net *>(net);
        dnn->setInput(*static_cast<const cv::Mat *>(blob));
        std::vector<cv::String> wanted(names, names + n);
        std::vector<cv::Mat> outs;
        dnn->forward(outs, wanted);
        if (static_cast<int>(outs.size()) != n) return fail(err, errlen, "number of outputs differs");
        size_t used = 0;
        for (int i = 0; i < n; i++) {
            const cv::Mat &m = outs[i];
            if (m.depth() != CV_32F || m.channels() != 1 || !m.isContinuous())
                return fail(err, errlen, "output is not a continuous array of floats");
            if (m.total() > cap - used) return fail(err, errlen, "outputs are larger than expected");
            memcpy(dst + used, m.ptr<float>(), m.total() * sizeof(float));
            used += m.total();
            lens[i] = static_cast<int>(m.total());
        }
        return 0;
    });
}

extern "C" void scrim_net_free(void *net) { delete static_cast<cv::dnn::Net *>(net); }
