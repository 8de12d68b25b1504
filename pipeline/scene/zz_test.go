package scene
import ("testing";"image";"image/png";"image/color";"os";"scrim/redact/yuv";"time";"fmt")
func savePNG(name string, im *yuv.Image){
 out:=image.NewYCbCr(im.Bounds(), image.YCbCrSubsampleRatio420)
 rgba:=image.NewRGBA(im.Bounds())
 _=out
 cl:=func(v float64)uint8{return uint8(min(max(v,0),255))}
 for y:=range im.Height{for x:=range im.Width{
  Y:=float64(im.Y[y*im.YStride+x])-16;U:=float64(im.U[y/2*im.CStride+x/2])-128;V:=float64(im.V[y/2*im.CStride+x/2])-128
  rgba.Set(x,y,color.RGBA{cl(1.164*Y+1.596*V),cl(1.164*Y-.392*U-.813*V),cl(1.164*Y+2.017*U),255})
 }}
 os.MkdirAll("/tmp/scene",0o755)
 f,_:=os.Create("/tmp/scene/"+name); png.Encode(f,rgba); f.Close()
}
func TestHeadPNG(t *testing.T){
 im,_:=yuv.New(1400,900); im.Fill(150,128,128)
 var r renderer
 ls:=[]looks{
 {skin:skins[1],hair:hairs[1],iris:irises[2],lips:rgb{176,92,84},style:shortHair,width:1,jaw:1,nose:1,brow:1},
 {skin:skins[5],hair:hairs[0],iris:irises[0],lips:rgb{110,58,50},style:longHair,width:.97,jaw:1,nose:1,brow:.8},
 {skin:skins[3],hair:hairs[6],iris:irises[1],lips:rgb{140,80,70},style:bald,width:1,jaw:1.1,nose:1.1,brow:1,beard:.5}}
 for k:=range ls {
 t0:=time.Now(); h:=newHead(&ls[k]); fmt.Println("mesh",time.Since(t0),len(h.face))
 for i,yaw:=range []float64{0,24,44,68,90,140,180}{
 t0=time.Now()
 s:=r.render(h,yaw,160)
 fmt.Println(time.Since(t0),s.levels[0].w,s.levels[0].h,len(s.levels))
 s.draw(im,placement{x:110+float64(i)*190,y:150+float64(k)*280,scale:140})
 s.draw(im,placement{x:110+float64(i)*190,y:275+float64(k)*280,scale:24,roll:.3,mirror:true})
 s.draw(im,placement{x:160+float64(i)*190,y:275+float64(k)*280,scale:14})
 }}
 savePNG("heads.png",im)
}
func TestScenePNG(t *testing.T){
 s,err:=New(Options{Width:1280,Height:720,Seed:3,People:10}); if err!=nil{t.Fatal(err)}
 im,_:=yuv.New(1280,720)
 for n:=range 8 { tr,_:=s.Draw(im,uint32(n*60),time.Now())
  for _,f:=range tr.Faces{ fmt.Printf("%d p%d %.0f,%.0f %.0fx%.0f vis %.2f yaw %.0f roll %.0f d %.1f\n",n*60,f.Person,f.Box.X,f.Box.Y,f.Box.W,f.Box.H,f.Visible,f.Yaw,f.Roll,f.Distance)
   if n%2==1 {r:=f.Box.Rect().Intersect(im.Bounds()); for x:=r.Min.X;x<r.Max.X;x++{im.Y[r.Min.Y*im.YStride+x]=235;im.Y[(r.Max.Y-1)*im.YStride+x]=235}
   for y:=r.Min.Y;y<r.Max.Y;y++{im.Y[y*im.YStride+r.Min.X]=235;im.Y[(y)*im.YStride+r.Max.X-1]=235}}}
  savePNG(fmt.Sprintf("s%d.png",n),im)}
}
