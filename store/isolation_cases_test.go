package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// withoutViewer has the reason why each method without a viewer needs none.
func withoutViewer() map[string]string {
	return map[string]string{
		"Constraints":           "reads no rows",
		"Local":                 "reads no rows",
		"Ping":                  "reads no rows",
		"Close":                 "reads no rows",
		"Pooler":                "reads no rows",
		"Stats":                 "reads no rows",
		"Up":                    "reads no rows",
		"Unannounced":           "reads no rows",
		"Recalls":               "reads no rows",
		"Unproven":              "reads no rows",
		"FeedResets":            "reads no rows",
		"Archive":               "reads no rows",
		"Swept":                 "reads no rows",
		"ServerVersion":         "reads no rows",
		"HasAccounts":           "for operators: it reveals no row",
		"Credential":            "signs in: it is how a viewer comes about",
		"CreateUser":            "makes an account, from which a viewer comes about",
		"CreateSession":         "signs in",
		"Records":               "reads no rows: Fetch does",
		"CachedViewer":          "as SessionViewer",
		"SessionViewer":         "signs in: who has the session's token is its user",
		"LiveSessions":          "as SessionViewer, for the sessions of open sockets",
		"WatchSessions":         "reads no rows",
		"News":                  "for the server: names accounts, and never records",
		"OnRing":                "reads no rows",
		"Ring":                  "reads no rows",
		"RotateSession":         "signs in: see sessions_test.go for tokens of others",
		"SetPasswordHash":       "signs in: wants the hash that the account has now",
		"Taken":                 "registers: tells what CreateUser tells",
		"Budgets":               "signs in: reads no rows of an account",
		"SpendBudgets":          "signs in: changes no rows of an account",
		"RefillBudgets":         "signs in: changes no rows of an account",
		"KnowsDevice":           "signs in: who has the device's token knows it",
		"RememberDevice":        "signs in: after the password was right",
		"CountEvent":            "counts in memory",
		"Totp":                  "signs in: after the password was right",
		"SpendTotp":             "signs in: after the password was right",
		"SpendRecoveryCode":     "signs in: after the password was right",
		"RequiresTotp":          "reads no rows",
		"WriteCollected":        "each minute: writes what the server has counted, and when sessions were used",
		"DeliverMail":           "for the server: sends mails to their accounts alone",
		"SweepMail":             "for the server: removes what is old",
		"Sweep":                 "as SweepMail",
		"SweepHourly":           "as SweepMail",
		"RenewServer":           "for the server: writes its own row, in which nothing is a record",
		"RemoveServer":          "as RenewServer",
		"Purgeable":             "for operators: counts rows, and names none",
		"Purge":                 "for operators: removes what nobody may see any more, and names none",
		"CredentialOfToken":     "signs in: who has the token of a mail read it; see codes_test.go",
		"ResetPassword":         "signs in: as CredentialOfToken",
		"SendReset":             "sends a mail to the account itself",
		"SendAlreadyRegistered": "sends a mail to the account itself",
	}
}

// ownRowsOnly has the methods that act on the viewer's own rows only. They are called
// with everything that they can name.
func ownRowsOnly() map[string]attempt {
	return map[string]attempt{
		"CreatePatient": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			p := (&storetest.Clinic{}).NewPatient("Chitra")
			p.CreatedBy = at.user
			return []string{resultText(s.CreatePatient(ctx, v, p))}
		},
		"CreateDoctor": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			d := (&storetest.Clinic{}).NewDoctor("Dr. Roy")
			d.CreatedBy, d.AccountID, d.LicenseNumber = at.user, &at.user, fmt.Sprintf("OWN-%p", v)
			return []string{resultText(s.CreateDoctor(ctx, v, d, false))}
		},
		"UpdateMe": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(s.UpdateMe(ctx, v, []model.Change[model.User]{set("phone", func(u *model.User) { u.Phone = nil })}))}
		},
		"AddTeamMember": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(s.AddTeamMember(ctx, v, "Helper", model.LevelFull, nil))}
		},
		"ClaimPatient": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.ClaimPatient(ctx, v, at.claim, "Chitra", model.ParseDate("1990-05-15")))}
		},
		"CreateTeamPatient": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.CreateTeamPatient(ctx, v, at.user, (&storetest.Clinic{}).NewPatient("Chitra")))}
		},
		"ReadNotices": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(s.ReadNotices(ctx, v, 900))}
		},
		"SendConfirmation": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(s.SendConfirmation(ctx, v))}
		},
		"ConfirmEmail": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(s.ConfirmEmail(ctx, v, "wrong"))}
		},
		"CreateLinkCode": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			code, _, err := s.CreateLinkCode(ctx, v)
			return []string{resultText(code, err)}
		},
		"CredentialOf": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(s.CredentialOf(ctx, v))}
		},
		"ChangePassword": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(0, s.ChangePassword(ctx, v, "hash of Asha", "new hash", storetest.Session("new", at.user, "new refresh")))}
		},
		"EraseMe": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(0, s.EraseMe(ctx, v, "hash of Asha"))}
		},
		"StartTotp": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(0, s.StartTotp(ctx, v, "hash of Asha", "SEED"))}
		},
		"EnableTotp": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			if v != nil && s.StartTotp(ctx, v, "hash of Asha", "SEED") != nil {
				return nil
			}
			pending, err := s.Totp(ctx, at.user)
			return []string{resultText(0, errors.Join(err, s.EnableTotp(ctx, v, pending, 1, []string{"CODE"}, storetest.Session("new", at.user, "new refresh"))))}
		},
		"DisableTotp": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(0, s.DisableTotp(ctx, v, "hash of Asha", storetest.Session("new", at.user, "new refresh")))}
		},
		"EndSession": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(0, s.EndSession(ctx, v, at.session))}
		},
		"EndSessionNumber": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(0, s.EndSessionNumber(ctx, v, at.sessionNumber))}
		},
		"EndSessions": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(0, s.EndSessions(ctx, v, ""))}
		},
	}
}

// attempts has the methods that return rows and change them.
func attempts() map[string]attempt {
	all := map[string]attempt{}
	for _, of := range []map[string]attempt{readAttempts(), recordAttempts(), userAttempts(), patientAttempts(), doctorAttempts(), mappingAttempts()} {
		for name, try := range of {
			all[name] = try
		}
	}
	return all
}

// recordAttempts has the generic reads, for every record type.
func recordAttempts() map[string]attempt {
	both, bothDoctors := PatientQuery{Deleted: model.DeletedInclude}, DoctorQuery{Deleted: model.DeletedInclude}
	return map[string]attempt{
		"Get": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(Patient(ctx, s, v, at.patient)),
				resultText(Doctor(ctx, s, v, at.doctor)),
				resultText(Mapping(ctx, s, v, at.mapping)), resultText(Mapping(ctx, s, v, at.endedMapping)),
			}
		},
		"GetMany": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(UsersByIDs(ctx, s, v, []int64{at.user})),
				resultText(PatientsByIDs(ctx, s, v, []int64{at.patient, at.deletedPatient})),
				resultText(DoctorsByIDs(ctx, s, v, []int64{at.doctor, at.deletedDoctor})),
				resultText(MappingsByIDs(ctx, s, v, []int64{at.mapping, at.endedMapping})),
			}
		},
		"Related": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(DoctorsOfMappings(ctx, s, v, []int64{at.doctor})), resultText(DoctorsOfMappings(ctx, s, v, []int64{at.deletedDoctor})),
				resultText(DoctorsOfAccounts(ctx, s, v, []int64{at.user})),
			}
		},
		"Page": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(Patients(ctx, s, v, both)),
				resultText(Patients(ctx, s, v, PatientQuery{Deleted: model.DeletedOnly})),
				resultText(Patients(ctx, s, v, PatientQuery{Search: new("arjun")})),
				resultText(Patients(ctx, s, v, PatientQuery{BloodGroup: new(model.BPositive)})),
				resultText(Patients(ctx, s, v, PatientQuery{DoctorID: &at.doctor})),

				resultText(Doctors(ctx, s, v, bothDoctors)),
				resultText(Doctors(ctx, s, v, DoctorQuery{Deleted: model.DeletedOnly})),
				resultText(Doctors(ctx, s, v, DoctorQuery{Search: new("rao"), Mine: new(true)})),

				resultText(Mappings(ctx, s, v, MappingQuery{})),
				resultText(Mappings(ctx, s, v, MappingQuery{PatientID: &at.patient})),
				resultText(Mappings(ctx, s, v, MappingQuery{DoctorID: &at.doctor})),
			}
		},
		"Count": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(CountPatients(ctx, s, v, PatientQuery{})), resultText(CountPatients(ctx, s, v, both)),
				resultText(CountDoctors(ctx, s, v, DoctorQuery{})), resultText(CountDoctors(ctx, s, v, bothDoctors)),
				resultText(CountMappings(ctx, s, v, MappingQuery{})),
				resultText(CountMappings(ctx, s, v, MappingQuery{PatientID: &at.patient})),
			}
		},
		"Changes": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			set, err := s.Changes(ctx, v, nil)
			if err != nil {
				return []string{err.Error()}
			}
			return []string{fmt.Sprint(set.Changed, set.Gone, set.HasMore)}
		},
		"Rows": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{
				resultText(s.Rows(ctx, v, "patients", 10)), resultText(s.Rows(ctx, v, "doctors", 10)), resultText(s.Rows(ctx, v, "mappings", 10)),
			}
		},
		"Entry": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			entry := func(typ, field string, id int64) string {
				return resultText(s.Entry(ctx, v, typ, field, id, query.Args{}))
			}
			return []string{
				entry("Patient", "patientEdge", at.patient), entry("Mapping", "patientDoctorEdge", at.mapping), entry("Mapping", "doctorPatientEdge", at.mapping),
			}
		},
		"PagesOf": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			ofPatient, err1 := MappingsOf(ctx, s, v, ofPatient, []int64{at.patient}, model.PageArgs{}, nil)
			ofDoctor, err2 := MappingsOf(ctx, s, v, ofDoctor, []int64{at.doctor}, model.PageArgs{}, nil)
			return []string{resultText(ofPatient[at.patient], err1), resultText(ofDoctor[at.doctor], err2)}
		},
		"CountsOf": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			ofPatient, err1 := CountMappingsOf(ctx, s, v, ofPatient, []int64{at.patient}, nil)
			ofDoctor, err2 := CountMappingsOf(ctx, s, v, ofDoctor, []int64{at.doctor}, nil)
			return []string{resultText(ofPatient[at.patient], err1), resultText(ofDoctor[at.doctor], err2)}
		},
	}
}

func userAttempts() map[string]attempt {
	return map[string]attempt{
		"AcceptGrant": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.AcceptGrant(ctx, v, at.grant))}
		},
		"EndGrant": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.EndGrant(ctx, v, at.grant, nil))}
		},
		"CreateClaimCode": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			_, g, err := s.CreateClaimCode(ctx, v, at.patient)
			return []string{resultText(g, err)}
		},
		"User": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.User(ctx, v, at.user))}
		},
		"Accounts": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			page, err := s.Accounts(ctx, v, &at.email, model.AccountFilter{}, model.PageArgs{})
			if err != nil {
				return []string{err.Error()}
			}
			return []string{fmt.Sprint(usernames(page))}
		},
		"DisableAccount": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.DisableAccount(ctx, v, at.user, "gone"))}
		},
		"EnableAccount": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.EnableAccount(ctx, v, at.user))}
		},
		"OfferTransfer": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.OfferTransfer(ctx, v, store.Offer{From: at.user, To: at.receiver, Patients: []int64{at.patient}, Reason: "gone"}))}
		},
		"AcceptTransfer": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.AcceptTransfer(ctx, v, at.transfer))}
		},
		"TransferPatients": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.TransferPatients(ctx, v, store.Offer{From: at.user, To: at.receiver, Reason: "gone"}))}
		},
		"EraseAccount": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(0, s.EraseAccount(ctx, v, at.user))}
		},
		"SetRole": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.SetRole(ctx, v, at.user, model.RolePatient))}
		},
		"RemoveTotp": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(0, s.RemoveTotp(ctx, v, at.user, "lost"))}
		},
		"CreateReset": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.CreateReset(ctx, v, at.user))}
		},
		"ConfirmAccount": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.ConfirmAccount(ctx, v, at.user))}
		},
	}
}

func patientAttempts() map[string]attempt {
	rename := []model.Change[model.Patient]{set("name", func(p *model.Patient) { p.Name = "Mallory" })}
	return map[string]attempt{
		"UpdatePatient": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(s.UpdatePatient(ctx, v, at.patient, nil, rename)),
				resultText(s.UpdatePatient(ctx, v, at.patient, new(77), rename)),
				resultText(s.UpdatePatient(ctx, v, at.patient, nil, nil)),
				resultText(s.UpdatePatient(ctx, v, at.deletedPatient, nil, rename)),
			}
		},
		"DeletePatient": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.DeletePatient(ctx, v, at.patient, nil)), resultText(s.DeletePatient(ctx, v, at.deletedPatient, nil))}
		},
		"RestorePatient": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.RestorePatient(ctx, v, at.patient)), resultText(s.RestorePatient(ctx, v, at.deletedPatient))}
		},
	}
}

func doctorAttempts() map[string]attempt {
	rename := []model.Change[model.Doctor]{set("name", func(d *model.Doctor) { d.Name = "Mallory" })}
	return map[string]attempt{
		"Specializations": func(ctx context.Context, s *store.Store, v *model.Viewer, _ target) []string {
			return []string{resultText(s.Specializations(ctx, v))}
		},
		"UpdateDoctor": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(s.UpdateDoctor(ctx, v, at.doctor, nil, rename)),
				resultText(s.UpdateDoctor(ctx, v, at.doctor, new(77), rename)),
				resultText(s.UpdateDoctor(ctx, v, at.deletedDoctor, nil, rename)),
			}
		},
		"VerifyDoctor": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(s.VerifyDoctor(ctx, v, at.doctor, 1, store.Verification{IsVerified: true})),
				resultText(s.VerifyDoctor(ctx, v, at.doctor, 77, store.Verification{IsVerified: true})),
				resultText(s.VerifyDoctor(ctx, v, at.doctor, 1, store.Verification{IsVerified: true, Account: new(&at.user)})),
			}
		},
		"DeleteDoctor": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.DeleteDoctor(ctx, v, at.doctor, nil)), resultText(s.DeleteDoctor(ctx, v, at.deletedDoctor, nil))}
		},
		"RestoreDoctor": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.RestoreDoctor(ctx, v, at.doctor)), resultText(s.RestoreDoctor(ctx, v, at.deletedDoctor))}
		},
	}
}

func mappingAttempts() map[string]attempt {
	note := []model.Change[model.Mapping]{set("notes", func(m *model.Mapping) { m.Notes = new("Mallory") })}
	return map[string]attempt{
		"AssignDoctor": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{
				resultText(s.AssignDoctor(ctx, v, &model.Mapping{PatientID: at.patient, DoctorID: at.doctor})),
				resultText(s.AssignDoctor(ctx, v, &model.Mapping{PatientID: at.deletedPatient, DoctorID: at.deletedDoctor})),
			}
		},
		"UpdateMapping": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.UpdateMapping(ctx, v, at.mapping, nil, note)), resultText(s.UpdateMapping(ctx, v, at.endedMapping, nil, note))}
		},
		"RemoveMapping": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			return []string{resultText(s.RemoveMapping(ctx, v, at.mapping, nil)), resultText(s.RemoveMapping(ctx, v, at.endedMapping, nil))}
		},
	}
}
