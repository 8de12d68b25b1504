package scene
import ("testing";"fmt";"time")
func TestZ(t *testing.T){ s,_:=New(Options{Width: 960, Height: 540, Seed: 11, People: 12, MinFace: 40, MaxFace: 200}); im:=newPicture(t,s.options)
tr,_:=s.Draw(im,440,time.Now()); for _,f:=range tr.Faces{fmt.Printf("%+v\n",f)}; savePNG("z.png",im)}
