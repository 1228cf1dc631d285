package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Debian builds its Prometheus without Kubernetes' service discovery; this stands in for it.
const annotation = "prometheus.io/"

type pods struct {
	Items []struct {
		Metadata struct {
			Name, Namespace     string
			Labels, Annotations map[string]string
		}
		Status struct{ Phase, PodIP string }
	}
}

type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// serveTargets answers every GET with the Pods to ask, as http_sd_configs wants them.
func serveTargets(listen, server, certificates string) {
	client := &http.Client{Timeout: 2 * time.Second, Transport: transport(certificates)}
	log.Fatal(http.ListenAndServe(listen, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			found, err := list(r.Context(), client, server+"/api/v1/pods")
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(targets(found))
		})))
}

func transport(folder string) *http.Transport {
	authority, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		log.Fatal(err)
	}
	own, err := tls.LoadX509KeyPair(
		filepath.Join(folder, "component.crt"), filepath.Join(folder, "component.key"))
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}},
	}
}

func list(ctx context.Context, client *http.Client, url string) (pods, error) {
	var found pods
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return found, err
	}
	response, err := client.Do(request)
	if err != nil {
		return found, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return found, fmt.Errorf("the API server answered %s", response.Status)
	}
	return found, json.NewDecoder(response.Body).Decode(&found)
}

// targets keeps the annotated Pods that run, and names each target after its Pod.
func targets(found pods) []target {
	kept := []target{}
	for _, pod := range found.Items {
		port := pod.Metadata.Annotations[annotation+"port"]
		asked := pod.Metadata.Annotations[annotation+"scrape"] == "true" && port != ""
		if !asked || pod.Status.Phase != "Running" || pod.Status.PodIP == "" {
			continue
		}
		kept = append(kept, target{
			Targets: []string{net.JoinHostPort(pod.Status.PodIP, port)},
			Labels: map[string]string{
				"namespace": pod.Metadata.Namespace,
				"pod":       pod.Metadata.Name,
				"app":       pod.Metadata.Labels["app"],
			},
		})
	}
	return kept
}
