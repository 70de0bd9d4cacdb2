-- Servers remember sessions that live. Whoever changes one of those or ends it,
-- tells them so: its id on the channel caregraph_sessions, or '' for all.

CREATE FUNCTION tell_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('caregraph_sessions', OLD.id);
    RETURN NULL;
END $$;

CREATE TRIGGER sessions_changed AFTER UPDATE ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND (NEW.ended_at IS NOT NULL OR NEW.expires_at < OLD.expires_at
        OR NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id))
    EXECUTE FUNCTION tell_session();

CREATE TRIGGER sessions_deleted AFTER DELETE ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION tell_session();

CREATE FUNCTION tell_sessions_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('caregraph_sessions', id) FROM sessions WHERE user_id IN (OLD.id, NEW.id) AND ended_at IS NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN (NEW.is_active <> OLD.is_active OR NEW.role <> OLD.role OR NEW.id <> OLD.id)
    EXECUTE FUNCTION tell_sessions_of_user();

CREATE FUNCTION tell_all_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('caregraph_sessions', '');
    RETURN NULL;
END $$;

CREATE TRIGGER sessions_emptied AFTER TRUNCATE ON sessions FOR EACH STATEMENT
    EXECUTE FUNCTION tell_all_sessions();
