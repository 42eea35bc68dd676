// What Argo CD and Flux make of objects, in the engines that they use themselves: gopher-lua with Argo CD's restrictions,
// Flux's CEL evaluator, and kstatus as its authors and as Flux keep it.
//
// It reads one question as JSON from its standard input (scripts, expressions and objects) and writes one answer for each
// object, so that hundreds of objects cost one process.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	fluxstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	k8sjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type question struct {
	Health      string                           `json:"health"`
	Discovery   string                           `json:"discovery"`
	Actions     map[string]string                `json:"actions"`
	Expressions kustomize.HealthCheckExpressions `json:"expressions"`
	Objects     []map[string]any                 `json:"objects"`
}

// verdict is one engine's word for an object, or why it has none.
type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Error   string `json:"error"`
}

// changed is what an action makes of an object, or why it makes nothing.
type changed struct {
	Object map[string]any `json:"object"`
	Error  string         `json:"error"`
}

type answer struct {
	Argo        verdict            `json:"argo"`
	Flux        verdict            `json:"flux"`
	Kstatus     verdict            `json:"kstatus"`
	FluxKstatus verdict            `json:"fluxKstatus"`
	Possible    map[string]bool    `json:"possible"`
	Actions     map[string]changed `json:"actions"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var asked question
	// Whole numbers as int64, as all of Kubernetes' own readers have them.
	if err := k8sjson.Unmarshal(text, &asked); err != nil {
		return err
	}
	evaluator, err := cel.NewStatusEvaluator(&asked.Expressions)
	if err != nil {
		return err
	}
	answers := make([]answer, 0, len(asked.Objects))
	for _, object := range asked.Objects {
		answers = append(answers, answerFor(asked, evaluator, &unstructured.Unstructured{Object: object}))
	}
	return json.NewEncoder(out).Encode(answers)
}

func answerFor(asked question, evaluator *cel.StatusEvaluator, object *unstructured.Unstructured) answer {
	found := answer{Argo: argoHealth(asked.Health, object)}
	if result, err := evaluator.Evaluate(context.Background(), object.DeepCopy()); err != nil {
		found.Flux.Error = err.Error()
	} else {
		found.Flux = verdict{Status: string(result.Status), Message: result.Message}
	}
	if result, err := status.Compute(object.DeepCopy()); err != nil {
		found.Kstatus.Error = err.Error()
	} else {
		found.Kstatus = verdict{Status: string(result.Status), Message: result.Message}
	}
	if result, err := fluxstatus.Compute(object.DeepCopy()); err != nil {
		found.FluxKstatus.Error = err.Error()
	} else {
		found.FluxKstatus = verdict{Status: string(result.Status), Message: result.Message}
	}
	if asked.Discovery == "" {
		return found
	}
	found.Possible = argoPossible(asked.Discovery, object)
	found.Actions = make(map[string]changed, len(asked.Actions))
	for name, script := range asked.Actions {
		found.Actions[name] = argoAction(script, object)
	}
	return found
}
