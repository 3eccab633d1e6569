-- What acts by itself in the desk's transactions or changes what its queries find: kind, name, table, definition.
-- What belongs to an extension is left out, except on our own tables.
WITH place AS (SELECT oid, quote_ident(nspname) || '.' AS prefix FROM pg_namespace WHERE nspname = current_schema()),
tables AS (SELECT c.* FROM pg_class c JOIN place p ON c.relnamespace = p.oid WHERE c.relkind IN ('r', 'p')),
objects AS (
    SELECT 'trigger' AS kind, t.tgname AS name, c.relname AS place,
        pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' ' || t.tgenabled::text END AS definition
        FROM pg_trigger t JOIN tables c ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', r.rulename, c.relname, pg_get_ruledef(r.oid)
        FROM pg_rewrite r JOIN tables c ON r.ev_class = c.oid
    UNION ALL
    SELECT 'policy', y.polname, c.relname, coalesce(pg_get_expr(y.polqual, c.oid), '')
        FROM pg_policy y JOIN tables c ON y.polrelid = c.oid
    UNION ALL
    SELECT 'row security', 'on', c.relname, '' FROM tables c WHERE c.relrowsecurity
    UNION ALL
    SELECT 'default', a.attname, c.relname, pg_get_expr(d.adbin, d.adrelid) || a.attgenerated::text
        FROM pg_attrdef d JOIN tables c ON d.adrelid = c.oid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
    UNION ALL
    SELECT 'constraint', o.conname, c.relname, pg_get_constraintdef(o.oid)
        FROM pg_constraint o JOIN tables c ON o.conrelid = c.oid WHERE o.contype <> 'n'
    UNION ALL
    SELECT 'index', x.relname, c.relname, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN tables c ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT 'child table', h.inhrelid::regclass::text, c.relname, ''
        FROM pg_inherits h JOIN tables c ON h.inhparent = c.oid
    UNION ALL
    SELECT 'view', v.relname, '', '' FROM pg_class v JOIN place p ON v.relnamespace = p.oid
        WHERE v.relkind IN ('v', 'm') AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = v.oid AND deptype = 'e')
    UNION ALL
    SELECT 'function', f.oid::regprocedure::text, '', f.prosrc
            || f.prosecdef::int::text || coalesce(f.proconfig::text, '')
        FROM pg_proc f JOIN place p ON f.pronamespace = p.oid
        WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = f.oid AND deptype = 'e')
    UNION ALL
    SELECT 'operator', o.oid::regoperator::text, '', '' FROM pg_operator o JOIN place p ON o.oprnamespace = p.oid
        WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = o.oid AND deptype = 'e')
)
SELECT o.kind, o.name, o.place, replace(o.definition, p.prefix, '') FROM objects o, place p
