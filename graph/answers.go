package graph

import "github.com/caregraph/caregraph/graph/plan"

// AnswerKinds returns the values that Config.OnAnswered gets, for labels: the
// query was answered by its plan, or why it was not. OnAnswered also gets the
// names of fields without a plan; these are not in the list.
func AnswerKinds() []string {
	return []string{
		Compiled, anonymous,
		plan.ReasonArguments, plan.ReasonIntrospection, plan.ReasonRefused, plan.ReasonSize,
	}
}
