package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/ipc"
)

// protections returns the protections that a process of the program reports.
func protections(t *testing.T, args ...string) map[string]ipc.Protection {
	t.Helper()
	cmd := program(t, asRedactor)
	cmd.Args = append(append(cmd.Args, ipc.SandboxCheckArg), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var said ipc.Sandbox
	require.NoError(t, json.Unmarshal(out, &said))
	byName := make(map[string]ipc.Protection)
	for _, p := range said {
		byName[p.Name] = p
	}
	require.Len(t, byName, 7)
	return byName
}

func TestAllProtectionsHoldThatTheKernelHas(t *testing.T) {
	for name, p := range protections(t) {
		t.Run(name, func(t *testing.T) {
			switch name {
			case "landlock":
				testenv.Need(t, testenv.Landlock)
			case "seccomp":
				testenv.Need(t, testenv.Seccomp)
			}
			require.True(t, p.Holds, p.Detail)
		})
	}
}

// A protection that is claimed but not in force is detected.
func TestProtectionsThatWereNotMadeDoNotCount(t *testing.T) {
	testenv.Need(t, testenv.Unconfined)
	t.Setenv("HALL_PASSWORD", "secret")
	said := protections(t, hardenedArg)
	for _, name := range []string{"no_new_privs", "limits", "environment", "working_directory", "landlock"} {
		require.False(t, said[name].Holds, name)
		require.NotEmpty(t, said[name].Detail)
	}
}

func TestRedactorRefusesToWorkUnprotectedWhereThatIsRequired(t *testing.T) {
	testenv.Need(t, testenv.Unconfined)
	for required, want := range map[bool]ipc.Type{true: ipc.TypeFailure, false: ipc.TypeHello} {
		cmd := program(t, asRedactor)
		cmd.Args = append(cmd.Args, hardenedArg)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		c := builtIn()
		c.RequireSandbox = required
		require.NoError(t, ipc.NewWriter(in).Write(ipc.TypeConfig, c, nil))
		r := ipc.NewReader(out)
		m, err := r.Read()
		for err == nil && m.Type == ipc.TypePreparedSlate {
			m, err = r.Read()
		}
		require.NoError(t, err)
		if required {
			var f ipc.Failure
			require.NoError(t, m.Decode(&f))
			require.True(t, f.Permanent)
			require.Contains(t, f.Reason, "not confined: no_new_privs")
		}
		require.Equal(t, string(want), string(m.Type))
		require.NoError(t, in.Close())
		_ = cmd.Wait()
	}
}
