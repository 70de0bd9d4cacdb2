package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// server is a server as its clients see it.
type server struct {
	*process.Server

	token string
}

type reply struct {
	Data struct {
		Register, Login struct{ Tokens struct{ Access string } }
		CreatePatient   struct{ Patient *struct{ ID string } }
		Patients        struct {
			Nodes    []struct{ Name string }
			PageInfo struct {
				HasNextPage bool
				EndCursor   string
			}
		}
	}
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
}

func (s *server) ask(ctx context.Context, document string, variables map[string]any) (got reply, err error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return got, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Base+"/graphql", bytes.NewReader(body))
	if err != nil {
		return got, err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return got, err
	}
	err = json.NewDecoder(response.Body).Decode(&got)
	if closed := response.Body.Close(); err == nil {
		err = closed
	}
	if err == nil && len(got.Errors) > 0 {
		err = fmt.Errorf("%s: %s", got.Errors[0].Extensions.Code, got.Errors[0].Message)
	}
	return got, err
}

const password = "Secure@1234"

func (s *server) register(ctx context.Context) error {
	got, err := s.ask(ctx, `mutation($i: RegisterInput!) { register(input: $i) { tokens { access } } }`, map[string]any{"i": map[string]any{
		"username": "writer", "email": "writer@clinic.example", "password": password, "role": "PATIENT",
	}})
	s.token = got.Data.Register.Tokens.Access
	return err
}

// signedIn signs in, and returns the names of all patients.
func (s *server) signedIn(ctx context.Context) (map[string]bool, error) {
	s.token = ""
	got, err := s.ask(ctx, `mutation($i: LoginInput!) { login(input: $i) { tokens { access } } }`,
		map[string]any{"i": map[string]any{"email": "writer@clinic.example", "password": password}})
	if err != nil {
		return nil, err
	}
	s.token = got.Data.Login.Tokens.Access
	return s.names(ctx)
}

func (s *server) create(ctx context.Context, name string) error {
	got, err := s.ask(ctx, `mutation($i: CreatePatientInput!) { createPatient(input: $i) { patient { id } } }`, map[string]any{"i": map[string]any{
		"name": name, "dateOfBirth": "1990-05-15", "gender": "MALE", "phone": "9876543210", "address": "Bengaluru", "emergencyContact": "9876543211",
	}})
	if err == nil && got.Data.CreatePatient.Patient == nil {
		err = fmt.Errorf("%s was not created", name)
	}
	return err
}

func (s *server) names(ctx context.Context) (map[string]bool, error) {
	all := map[string]bool{}
	for after, more := any(nil), true; more; {
		got, err := s.ask(ctx, `query($after: String) { patients(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after})
		if err != nil {
			return nil, err
		}
		for _, patient := range got.Data.Patients.Nodes {
			all[patient.Name] = true
		}
		after, more = got.Data.Patients.PageInfo.EndCursor, got.Data.Patients.PageInfo.HasNextPage
	}
	return all, nil
}
