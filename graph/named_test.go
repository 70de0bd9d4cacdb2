package graph_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// namedOf answers a document with the topics of its subscription.
type namedOf struct{}

func (namedOf) Supports(r *http.Request) bool { return r.Method == http.MethodPut }

func (namedOf) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	document, _ := io.ReadAll(r.Body)
	op, errs := exec.CreateOperationContext(r.Context(), &graphql.RawParams{Query: string(document)})
	if errs != nil {
		_, _ = fmt.Fprint(w, errs)
		return
	}
	s := exec.(graph.Executor).Subscription(op)
	_, _ = fmt.Fprint(w, s.Named)
}

// TestSubscription_NamesItsRecords: where the answer has the id of each entry and account, and
// no other record can come into it by a change of its own.
func TestSubscription_NamesItsRecords(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{Transports: []graphql.Transport{namedOf{}}})
	for document, want := range map[string]model.Topics{
		`{ live { patients { nodes { name } } } }`:                                                         0,
		`{ live { patient(id: 1) { createdBy { id username } } } }`:                                        model.TopicAccounts,
		`{ live { patient(id: 1) { createdBy { ...u } } } } fragment u on User { username ... { n: id } }`: model.TopicAccounts,
		`{ live { patient(id: 1) { createdBy { username } } } }`:                                           0,
		`{ live { patient(id: 1) { createdBy { username id @skip(if: false) } } } }`:                       0,
		`{ live { me { username } } }`:                                                                     model.TopicAccounts,
		`{ live { mappings { nodes { doctor { id name } createdBy { id } } } } }`:                          model.TopicDoctors | model.TopicAccounts,
		`{ live { mappings { nodes { doctor { id name account { username } } } } } }`:                      model.TopicDoctors,
		`{ live { mappings { nodes { doctor { name } } } } }`:                                              0,
		`{ live { mappings { nodes { doctor { id } } } doctors { totalCount } } }`:                         0,
		`{ live { patient(id: 1) { doctors { nodes { id } } } } }`:                                         0,
		`{ live { doctor(id: 1) { id } } }`:                                                                0,
		`{ live { me { id doctorProfile { id } } } }`:                                                      model.TopicAccounts,
		`{ live { specializations { name } } }`:                                                            0,
		`{ live { accounts { nodes { id } } } }`:                                                           0,
		`{ live { me { id } node(id: "pat_1") { id } } }`:                                                  0,
		`{ changed }`: 0,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/graphql", strings.NewReader("subscription "+document))
		testutil.Must(t, err)
		response, err := http.DefaultClient.Do(request)
		testutil.Must(t, err)
		got, err := io.ReadAll(response.Body)
		testutil.Must(t, err)
		_ = response.Body.Close()
		if string(got) != fmt.Sprint(want) {
			t.Errorf("%s names %s, want %d", document, got, want)
		}
	}
}
