package rest_test

import (
	"net/http"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
)

// TestRegister_ConfirmFirst answers alike for an address that has an account.
func TestRegister_ConfirmFirst(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{ConfirmFirst: true})
	s.Exec(`INSERT INTO users (username, email, password_hash, role) VALUES ('priya', 'priya@aiims.example', '!', 'DOCTOR')`)
	const answer = `{"user":null,"message":"User registered successfully","tokens":null}`
	s.match(s.post(register, `{"username":"asha","email":"asha@clinic.example","password":"Secure@123","role":"patient"}`), http.StatusCreated, answer)
	s.match(s.post(register, `{"username":"banu","email":"priya@aiims.example","password":"Secure@123","role":"patient"}`), http.StatusCreated, answer)
	s.match(s.post(login, `{"email":"asha@clinic.example","password":"Secure@123"}`), http.StatusUnauthorized, noAccount)
}
