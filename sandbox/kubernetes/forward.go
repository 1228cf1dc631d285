package main

import (
	"io"
	"log"
	"net"
	"os"
)

// These two name a further address that the API server answers at, and its own.
//
// The API server listens at one address. That is loopback: it is not exposed, and proxies set in
// the user's environment leave it alone. Pods, however, reach it through the Service
// "kubernetes", whose endpoint must not be loopback.
const (
	forwardVariable       = "SANDBOX_FORWARD"
	forwardTargetVariable = "SANDBOX_FORWARD_TO"
)

func forwardInBackground() {
	address, target := os.Getenv(forwardVariable), os.Getenv(forwardTargetVariable)
	if address == "" {
		return
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatalf("forward: %v", err)
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				log.Fatalf("forward: %v", err)
			}
			go forward(client, target)
		}
	}()
}

func forward(client net.Conn, target string) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		log.Printf("forward: %v", err)
		return
	}
	defer server.Close()
	ended := make(chan struct{}, 2)
	copyUntilEnd := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		ended <- struct{}{}
	}
	go copyUntilEnd(server, client)
	go copyUntilEnd(client, server)
	<-ended
}
