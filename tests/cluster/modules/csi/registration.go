package main

import (
	"context"
	"errors"
	"io/fs"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// registrar announces the driver to the kubelet through a socket in its plugin folder. The kubelet looks for such sockets
// when it starts and whenever one appears, so it is made anew after each failed registration and whenever it is gone.
type registrar struct {
	registration.UnimplementedRegistrationServer
	driver, endpoint, socket string
	again                    chan struct{}
}

func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{Type: registration.CSIPlugin, Name: r.driver, Endpoint: r.endpoint,
		SupportedVersions: []string{"1.0.0"}}, nil
}

func (r *registrar) NotifyRegistrationStatus(_ context.Context, status *registration.RegistrationStatus) (
	*registration.RegistrationStatusResponse, error) {
	if status.PluginRegistered {
		log.Printf("the kubelet registered %s", r.driver)
	} else {
		log.Printf("the kubelet refused %s: %s", r.driver, status.Error)
		select {
		case r.again <- struct{}{}:
		default:
		}
	}
	return &registration.RegistrationStatusResponse{}, nil
}

// serve keeps the socket in place until the context ends.
func (r *registrar) serve(ctx context.Context) error {
	for ctx.Err() == nil {
		listener, err := listen(r.socket)
		if err != nil {
			return err
		}
		server := grpc.NewServer()
		registration.RegisterRegistrationServer(server, r)
		go func() {
			if err := server.Serve(listener); err != nil {
				log.Printf("registration: %v", err)
			}
		}()
		r.waitUntilUseless(ctx)
		server.Stop()
	}
	return nil
}

func (r *registrar) waitUntilUseless(ctx context.Context) {
	look := time.NewTicker(2 * time.Second)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.again:
			// The kubelet asks again only when it sees a new socket; not at once, or a lasting refusal would spin.
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			return
		case <-look.C:
			if _, err := os.Lstat(r.socket); errors.Is(err, fs.ErrNotExist) {
				log.Printf("%s is gone, making it again", r.socket)
				return
			}
		}
	}
}

// listen replaces the socket that a killed predecessor left; anything that is no socket stays and is an error.
func listen(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}
