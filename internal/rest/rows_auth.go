package rest

import (
	"context"
	"net/http"
)

// authRows are the addresses of accounts and sessions.
func authRows(o Options) []row {
	return []row{
		{
			method: http.MethodPost, path: "/api/auth/register/", status: http.StatusCreated,
			summary: "Register an account and sign it in",
			document: `mutation Register($input: RegisterInput!, $hasDevice: Boolean!) { register(input: $input) {
				user { id username email phone(format: NATIONAL) role }
				message: __typename
				tokens { refresh access }
				device @include(if: $hasDevice)
				userErrors { field code message }
			} }`,
			message: "User registered successfully",
			fields: []field{
				{name: "username"},
				{name: "email"},
				{name: "password"},
				{name: "phone", optional: true, emptyIsNull: true},
				{name: "role"},
				{name: "device", optional: true, onlyAsks: true},
				{name: "client", optional: true, emptyIsNull: true},
			},
			refusesBadToken: true,
			validates:       true,
		},
		{
			method: http.MethodPost, path: "/api/auth/login/", status: http.StatusOK,
			summary: "Sign in",
			document: `mutation Login($input: LoginInput!, $hasDevice: Boolean!) { login(input: $input) {
				refresh: tokens { refresh }
				access: tokens { access }
				user { id email role }
				device @include(if: $hasDevice)
				userErrors { field code message }
			} }`,
			fields: []field{
				{name: "email"},
				{name: "password"},
				{name: "device", optional: true, blank: true},
				{name: "client", optional: true, emptyIsNull: true},
				{name: "otp", optional: true, emptyIsNull: true},
			},
		},
		{
			method: http.MethodPost, path: "/api/auth/token/refresh/", status: http.StatusOK,
			summary: "Exchange a refresh token for a new pair of tokens",
			document: `mutation RefreshToken($refresh: String!) { refreshToken(refresh: $refresh) {
				tokens { access refresh }
				userErrors { field code message }
			} }`,
			fields: []field{{name: "refresh"}},
		},
		{
			method: http.MethodPost, path: "/api/auth/token/verify/", status: http.StatusOK,
			name:    "authTokenVerify",
			summary: "Check whether an access or refresh token is valid now",
			check: func(ctx context.Context, variables map[string]any) error {
				token, _ := variables["token"].(string)
				return o.VerifyToken(ctx, token)
			},
			fields: []field{{name: "token"}},
		},
		{
			method: http.MethodPost, path: "/api/auth/logout/", status: http.StatusNoContent,
			summary: "Sign out: end a session",
			document: `mutation Logout($refresh: String) { logout(refresh: $refresh) {
				userErrors { field code message }
			} }`,
			fields: []field{{name: "refresh", optional: true}},
		},
		{
			method: http.MethodPost, path: "/api/auth/password/change/", status: http.StatusOK,
			summary: "Change the password, end all sessions and begin a new one",
			document: `mutation ChangePassword($input: ChangePasswordInput!) { changePassword(input: $input) {
				tokens { access refresh }
				userErrors { field code message }
			} }`,
			fields: []field{
				{name: "current_password", input: "currentPassword"},
				{name: "new_password", input: "newPassword"},
			},
		},
		{
			method: http.MethodGet, path: "/api/auth/me/", status: http.StatusOK,
			summary:  "Show the account that is signed in",
			document: `query Me { me { id username email phone(format: NATIONAL) role } }`,
		},
	}
}
