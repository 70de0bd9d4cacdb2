-- Servers remember sessions that live. They are told on the channel
-- caregraph_sessions of those that change or end: by the id of the session, by
-- 'user 42' for all sessions of an account, or by '' for all that there are.

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

-- It names the account, for it may not see all sessions: its snapshot can be older.
CREATE FUNCTION tell_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('caregraph_sessions', 'user ' || OLD.id);
    RETURN NULL;
END $$;

CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN (NEW.is_active <> OLD.is_active OR NEW.role <> OLD.role OR NEW.id <> OLD.id)
    EXECUTE FUNCTION tell_user();

CREATE FUNCTION tell_all_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('caregraph_sessions', '');
    RETURN NULL;
END $$;

CREATE TRIGGER sessions_emptied AFTER TRUNCATE ON sessions FOR EACH STATEMENT
    EXECUTE FUNCTION tell_all_sessions();
