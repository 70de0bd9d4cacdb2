-- A server must end a session even if PostgreSQL cannot load plpgsql, so its own statements do not call the triggers.
-- works with: 20261123000000
--
-- The server sends the message itself, after its statement. The triggers serve those who write SQL by hand. A condition
-- in WHEN is evaluated before plpgsql is loaded. caregraph.announces is 'on' until the server's transaction ends.

DROP TRIGGER sessions_changed ON sessions;
CREATE TRIGGER sessions_changed AFTER UPDATE ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND (NEW.ended_at IS NOT NULL OR NEW.expires_at < OLD.expires_at
        OR NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id)
        AND current_setting('caregraph.announces', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION tell_session();

DROP TRIGGER sessions_deleted ON sessions;
CREATE TRIGGER sessions_deleted AFTER DELETE ON sessions FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND OLD.expires_at > now()
        AND current_setting('caregraph.announces', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION tell_session();

DROP TRIGGER users_changed ON users;
CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN ((NEW.is_active <> OLD.is_active OR NEW.role <> OLD.role OR NEW.id <> OLD.id)
        AND current_setting('caregraph.announces', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION tell_user();
