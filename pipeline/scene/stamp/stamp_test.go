package stamp_test

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"scrim/pipeline/scene/stamp"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/redact/yuv"
)

var sizes = []image.Point{
	{X: 320, Y: 180}, {X: 322, Y: 182}, {X: 480, Y: 270}, {X: 640, Y: 360}, {X: 641, Y: 361}, {X: 704, Y: 576}, {X: 720, Y: 1280},
	{X: 854, Y: 480}, {X: 1280, Y: 720}, {X: 1366, Y: 768}, {X: 1920, Y: 1080}, {X: 2560, Y: 1440}, {X: 4096, Y: 2304},
}

func picture(t testing.TB, size image.Point) *yuv.Image {
	t.Helper()
	im, err := yuv.New(size.X, size.Y)
	require.NoError(t, err)
	im.Fill(110, 90, 160)
	return im
}

// half scales the luma plane to half its size, as the mean of 2×2 pixels.
func half(t testing.TB, im *yuv.Image) *yuv.Image {
	t.Helper()
	out := picture(t, image.Pt(im.Width/2, im.Height/2))
	for y := range out.Height {
		for x := range out.Width {
			i := 2*y*im.YStride + 2*x
			sum := int(im.Y[i]) + int(im.Y[i+1]) + int(im.Y[i+im.YStride]) + int(im.Y[i+im.YStride+1])
			out.Y[y*out.YStride+x] = byte((sum + 2) / 4)
		}
	}
	return out
}

// noise adds up to ±amount to each luma sample where the stamp is.
func noise(im *yuv.Image, amount int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for y := range stamp.Bounds(im.Width, im.Height).Dy() {
		row := im.Y[y*im.YStride : y*im.YStride+stamp.Bounds(im.Width, im.Height).Dx()]
		for x, v := range row {
			row[x] = byte(min(max(int(v)+r.IntN(2*amount+1)-amount, 0), 255))
		}
	}
}

// blur is the mean of 3×3 pixels: the worst that a low bit rate does to cells.
func blur(im *yuv.Image) {
	src := im.Clone()
	area := stamp.Bounds(im.Width, im.Height)
	for y := 1; y < area.Max.Y; y++ {
		for x := 1; x < area.Max.X; x++ {
			sum := 0
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					sum += int(src.Y[(y+dy)*src.YStride+x+dx])
				}
			}
			im.Y[y*im.YStride+x] = byte(sum / 9)
		}
	}
}

func TestRead_WhatDrawWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom(sizes[:6]).Draw(t, "size")
		want := stamptest.Stamp{
			Number:   rapid.Uint32().Draw(t, "number"),
			Captured: time.Unix(0, rapid.Int64().Draw(t, "ns")).UTC(),
		}
		im, err := yuv.New(size.X, size.Y)
		require.NoError(t, err)
		stamp.Draw(im, want.Number, want.Captured)
		got, err := stamptest.Read(im)
		require.NoError(t, err)
		require.Equal(t, want, got)
		noise(im, 30, uint64(want.Number))
		got, err = stamptest.Read(im)
		require.NoError(t, err, "with noise")
		require.Equal(t, want, got)
	})
}

func TestRead_Damaged(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			for i := range uint32(3) {
				want := stamptest.Stamp{Number: 0xa5f00f5a * (i + 1), Captured: time.Unix(1_700_000_000, int64(i)*1_234_567).UTC()}
				im := picture(t, size)
				stamp.Draw(im, want.Number, want.Captured)
				check := func(what string, im *yuv.Image) {
					got, err := stamptest.Read(im)
					require.NoError(t, err, what)
					require.Equal(t, want, got, what)
				}
				check("as drawn", im)
				if size.X >= 640 {
					small := half(t, im)
					check("half", small)
					noise(small, 30, uint64(i))
					check("half, noise", small)
					blur(im)
					check("blurred", im)
				}
				noise(im, 30, uint64(i))
				check("noise", im)
			}
		})
	}
}

func TestDraw_StaysWithinBounds(t *testing.T) {
	for _, size := range sizes {
		im := picture(t, size)
		stamp.Draw(im, 0xffffffff, time.Unix(0, -1))
		area := stamp.Bounds(size.X, size.Y)
		require.True(t, area.In(im.Bounds()))
		for y := range im.Height {
			for x := range im.Width {
				inside := image.Pt(x, y).In(area)
				luma, u := im.Y[y*im.YStride+x], im.U[y/2*im.CStride+x/2]
				if !inside && y > 2*area.Max.Y {
					break // the rest would take long
				}
				if inside && (u != 128 || luma != stamp.Black && luma != stamp.White) || !inside && (u != 90 || luma != 110) {
					t.Fatalf("%v: pixel %d, %d is %d, %d", size, x, y, luma, u)
				}
			}
		}
	}
}

func TestRead_NoStamp(t *testing.T) {
	for _, luma := range []byte{0, 16, 125, 126, 127, 235, 255} {
		im := picture(t, image.Pt(640, 360))
		im.Fill(luma, 128, 128)
		_, err := stamptest.Read(im)
		require.ErrorIs(t, err, stamptest.ErrNone)
	}
	im := picture(t, image.Pt(640, 360))
	stamp.Draw(im, 7, time.Unix(1, 0))
	for y := range 10 {
		for x := range 12 {
			i := y*im.YStride + 5*30 + x
			im.Y[i] = 251 - im.Y[i]
		}
	}
	_, err := stamptest.Read(im)
	require.ErrorIs(t, err, stamptest.ErrNone, "cells are inverted")
}

func TestDraw_TooSmall(t *testing.T) {
	for _, size := range []image.Point{{X: 1, Y: 1}, {X: 159, Y: 90}, {X: 4096, Y: 16}, {X: 640, Y: 29}} {
		im := picture(t, size)
		before := im.Clone()
		stamp.Draw(im, 1, time.Now())
		require.Equal(t, before, im, size)
		_, err := stamptest.Read(im)
		require.ErrorIs(t, err, stamptest.ErrNone, size)
	}
	_, err := stamptest.Read(nil)
	require.ErrorIs(t, err, stamptest.ErrNone)
	_, err = stamptest.Read(&yuv.Image{Width: 640, Height: 360, YStride: 640, CStride: 320})
	require.ErrorIs(t, err, stamptest.ErrNone, "planes are missing")
}

func TestNoAllocations(t *testing.T) {
	im := picture(t, image.Pt(1280, 720))
	now := time.Now()
	require.Zero(t, testing.AllocsPerRun(20, func() {
		stamp.Draw(im, 1, now)
		if _, err := stamptest.Read(im); err != nil {
			t.Error(err)
		}
	}))
}

func FuzzRead(f *testing.F) {
	f.Add(uint16(320), uint16(180), []byte{16, 235}, uint16(0))
	f.Add(uint16(640), uint16(360), []byte("any"), uint16(3))
	f.Add(uint16(160), uint16(16), []byte{}, uint16(160))
	f.Fuzz(func(t *testing.T, width, height uint16, luma []byte, stride uint16) {
		im := &yuv.Image{Width: int(width), Height: int(height), YStride: int(stride), CStride: int(stride), Y: luma, U: luma, V: luma}
		if _, err := stamptest.Read(im); err != nil {
			require.ErrorIs(t, err, stamptest.ErrNone)
		}
		whole, err := yuv.New(min(int(width), 700), min(int(height), 400))
		if err != nil {
			return
		}
		if len(luma) > 0 {
			for i := range whole.Y {
				whole.Y[i] = luma[i%len(luma)]
			}
		}
		got, err := stamptest.Read(whole)
		if err != nil {
			require.ErrorIs(t, err, stamptest.ErrNone)
			return
		}
		stamp.Draw(whole, got.Number, got.Captured)
		again, err := stamptest.Read(whole)
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}
