package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cgbg-go/lab/kernel/run"
	"github.com/cgbg-go/lab/kernel/session"
)

// launch runs a kernel on a front end's connection until it ends or the
// context does. Front ends interrupt by a message, which GoNB answers itself.
func launch(ctx context.Context, connection, module, runDir string) error {
	s, err := session.New(ctx, session.Options{Module: module, RunDir: runDir})
	if err != nil {
		return err
	}
	defer s.Close()
	here, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	process, err := s.Start(here, os.Stderr, s.Tools.Gonb, "-kernel", connection)
	if err != nil {
		return err
	}
	defer process.Stop()
	select {
	case <-process.Done():
		if err := process.Err(); err != nil {
			return fmt.Errorf("launch: %w: %w", run.ErrKernelDied, err)
		}
		return nil
	case <-ctx.Done():
		return nil
	}
}
