// Command csi-driver is a small CSI driver for tests, controller and node in one process, run on the node's host.
// Its volumes are directories (package nas); its shape is one of two real drivers' (package driver).
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"kubectl-truenas-migrate/tests/cluster/modules/csi/driver"
	"kubectl-truenas-migrate/tests/cluster/modules/csi/nas"
)

func main() {
	log.SetFlags(log.Ldate | log.Ltime | log.Lmicroseconds | log.LUTC)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	var settings driver.Settings
	shapeName := flag.String("shape", "", "democratic or truenas")
	root := flag.String("nas-root", "", "root of the datasets; must carry the file "+nas.MarkerName)
	kubelet := flag.String("kubelet-root", "", "the kubelet's root directory")
	flag.StringVar(&settings.Name, "name", "", "the driver's name")
	flag.StringVar(&settings.NodeID, "node-id", "", "the node's name")
	flag.StringVar(&settings.Pool, "pool", "SAS", "pool of the volumes")
	flag.StringVar(&settings.Parent, "parent", "SAS/RKE2", "dataset below which the democratic shape makes volumes")
	flag.StringVar(&settings.Server, "server", "127.0.0.1", "address of the appliance, as volumes name it")
	flag.StringVar(&settings.ShareProgram, "share-program", "", "the program nfs-share")
	flag.Parse()

	shapes := map[string]driver.Shape{"democratic": driver.Democratic{Settings: settings}, "truenas": driver.TrueNAS{Settings: settings}}
	shape, known := shapes[*shapeName]
	if !known || settings.Name == "" || settings.NodeID == "" || *kubelet == "" || settings.ShareProgram == "" {
		return fmt.Errorf("-shape (democratic or truenas), -name, -node-id, -kubelet-root and -share-program are needed")
	}
	appliance, err := nas.Open(*root)
	if err != nil {
		return err
	}
	return serve(ctx, driver.New(settings, shape, appliance), settings.Name, *kubelet)
}

func serve(ctx context.Context, services *driver.Driver, name, kubelet string) error {
	endpoint := filepath.Join(kubelet, "plugins", name, "csi.sock")
	registry := filepath.Join(kubelet, "plugins_registry")
	for _, folder := range []string{filepath.Dir(endpoint), registry} {
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return err
		}
	}
	listener, err := listen(endpoint)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(logCall))
	csi.RegisterIdentityServer(server, services)
	csi.RegisterControllerServer(server, services)
	csi.RegisterNodeServer(server, services)
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	announcer := &registrar{driver: name, endpoint: endpoint, socket: filepath.Join(registry, name+"-reg.sock"),
		again: make(chan struct{}, 1)}
	go func() { failed <- announcer.serve(ctx) }()
	log.Printf("%s serves %s", name, endpoint)
	select {
	case <-ctx.Done():
		server.GracefulStop()
		return nil
	case err := <-failed:
		return err
	}
}

// logCall notes every call that changes something, and every failure.
func logCall(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	answer, err := handle(ctx, request)
	type named interface{ GetVolumeId() string }
	handleName := ""
	if volume, ok := request.(named); ok {
		handleName = volume.GetVolumeId()
	} else if creation, ok := request.(*csi.CreateVolumeRequest); ok {
		handleName = creation.GetName()
	}
	method := filepath.Base(info.FullMethod)
	if err != nil || (handleName != "" && method != "NodeGetVolumeStats") {
		log.Printf("%s %s: %v %s", method, handleName, status.Code(err), status.Convert(err).Message())
	}
	return answer, err
}
