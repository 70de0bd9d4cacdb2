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
			document: `mutation Register($input: RegisterInput!) { register(input: $input) {
				user { id username email phone(format: NATIONAL) role }
				message: __typename
				tokens { refresh access }
				userErrors { field code message }
			} }`,
			message: "User registered successfully",
			fields: []field{
				{name: "username"},
				{name: "email"},
				{name: "password"},
				{name: "phone", optional: true, emptyIsNull: true},
				{name: "role"},
			},
			refusesBadToken: true,
			validates:       true,
		},
		{
			method: http.MethodPost, path: "/api/auth/login/", status: http.StatusOK,
			document: `mutation Login($input: LoginInput!) { login(input: $input) {
				refresh: tokens { refresh }
				access: tokens { access }
				user { id email role }
				userErrors { field code message }
			} }`,
			fields: []field{{name: "email"}, {name: "password"}},
		},
		{
			method: http.MethodPost, path: "/api/auth/token/refresh/", status: http.StatusOK,
			document: `mutation RefreshToken($refresh: String!) { refreshToken(refresh: $refresh) {
				tokens { access refresh }
				userErrors { field code message }
			} }`,
			fields: []field{{name: "refresh"}},
		},
		{
			method: http.MethodPost, path: "/api/auth/token/verify/", status: http.StatusOK,
			check: func(ctx context.Context, variables map[string]any) error {
				token, _ := variables["token"].(string)
				return o.VerifyToken(ctx, token)
			},
			fields: []field{{name: "token"}},
		},
		{
			method: http.MethodPost, path: "/api/auth/logout/", status: http.StatusNoContent,
			document: `mutation Logout($refresh: String) { logout(refresh: $refresh) {
				userErrors { field code message }
			} }`,
			fields: []field{{name: "refresh", optional: true}},
		},
		{
			method: http.MethodPost, path: "/api/auth/password/change/", status: http.StatusOK,
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
			document: `query Me { me { id username email phone(format: NATIONAL) role } }`,
		},
	}
}
