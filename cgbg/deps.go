package cgbg

import (
	_ "github.com/apache/arrow-go/v18/arrow/ipc"
	_ "github.com/go-zeromq/zmq4"
	_ "github.com/gomlx/compute/gobackend"
	_ "github.com/gomlx/go-xla/compute/xla"
	_ "github.com/gomlx/gomlx/core/graph"
	_ "github.com/janpfeifer/gonb/gonbui"
	_ "github.com/sbinet/npyio/npz"
	_ "gonum.org/v1/gonum/integrate/quad"
	_ "gonum.org/v1/plot"
	_ "gonum.org/v1/plot/vg/vgimg"
	_ "gonum.org/v1/plot/vg/vgsvg"
)
