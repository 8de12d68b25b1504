package models

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// MaxBytes bounds a model's file. The known ones have less than 1 MiB; a file
// beyond this is something else.
const MaxBytes = 64 << 20

// ErrUnknown is wrapped by errors about a name that no known model has.
var ErrUnknown = errors.New("unknown model")

// Model describes a face detection model.
type Model struct {
	// Name is what users call it, such as "scrim-face".
	Name string
	// File is the name of its file, without a folder.
	File string
	// SHA256 is the hash of the file: 64 hex digits, lower case.
	SHA256 string
	// Licence is the SPDX expression and who holds the rights.
	Licence string
	// Description says in one line what it is good for.
	Description string
	// URLs are where it can be fetched, in the order to try; none: it is built in.
	// The hash pins the content, so a URL may name a branch.
	URLs []string
	// Size of the file in bytes; 0: not known.
	Size int64
}

// yunetN is the model that Auto sets against the one that is built in.
const yunetN = "yunet-n"

const yunetLicence = "Apache-2.0 / MIT, S. Yu and OpenMMLab"

// Known returns the known models, the one that is built in first. The caller owns
// the slice.
func Known() []Model {
	const (
		raw  = "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/"
		site = "https://github.com/ShiqiYu/libfacedetection.train/raw/"
		zoo  = "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/"
	)
	return []Model{
		BuiltIn().model(),
		{
			Name:        yunetN,
			File:        "face_detection_yunet_n.onnx",
			SHA256:      "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31",
			Licence:     yunetLicence,
			Description: "YuNet n, 75 856 parameters; WIDER FACE hard AP 0.811",
			URLs: []string{
				raw + "0047ac24a/onnx/yunet_n_640_640.onnx",
				site + "0047ac24a/onnx/yunet_n_640_640.onnx",
				raw + "master/onnx/yunet_n_640_640.onnx",
			},
			Size: 317466,
		},
		{
			Name:        "yunet-s",
			File:        "face_detection_yunet_s.onnx",
			SHA256:      "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
			Licence:     yunetLicence,
			Description: "YuNet s, OpenCV zoo's face_detection_yunet_2023mar: smaller and weaker; WIDER FACE hard AP 0.768",
			URLs: []string{
				raw + "147357457766555aeaa81fe5501f081fe1c8e12e/onnx/yunet_s_640_640.onnx",
				raw + "master/onnx/yunet_s_640_640.onnx",
				zoo + "face_detection_yunet_2023mar.onnx",
			},
			Size: 232589,
		},
	}
}

// Lookup returns the known model of that name. The error wraps ErrUnknown and
// names the model that was probably meant, else those that are known.
func Lookup(name string) (Model, error) {
	known := Known()
	names := make([]string, 0, len(known))
	for _, m := range known {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	if meant := suggest(name, known); meant != "" {
		return Model{}, fmt.Errorf("%w %.40q; did you mean %s?", ErrUnknown, name, meant)
	}
	return Model{}, fmt.Errorf("%w %.40q; known are %s", ErrUnknown, name, strings.Join(names, ", "))
}

// suggest returns the model whose name, or its file's, differs from what was
// written in case and punctuation only, or was cut short; "" when none does.
func suggest(name string, known []Model) string {
	said := plain(strings.TrimSuffix(name, ".onnx"))
	for _, m := range known {
		file := plain(strings.TrimSuffix(m.File, ".onnx"))
		if said == file || len(said) >= 3 && strings.HasPrefix(plain(m.Name), said) {
			return m.Name
		}
	}
	return ""
}

// plain keeps letters and digits, in lower case.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
