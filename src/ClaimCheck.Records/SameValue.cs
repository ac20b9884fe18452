namespace ClaimCheck.Records;

/// <summary>One text for values that Postgres treats as equal, however they are written.</summary>
internal static class SameValue
{
    /// <summary>For values without a known form: the text itself.</summary>
    public static string Of(PostgresType type, string text)
    {
        if (type.Kind == TypeKind.Text)
            return type.Name is "bpchar" or "character" ? text.TrimEnd(' ') : text;
        var utf8 = Encoding.UTF8.GetBytes(text.Trim(' '));
        return type.Kind switch
        {
            TypeKind.Integer or TypeKind.Numeric or TypeKind.Floating => Numbers.Canonical(utf8) ?? Numbers.NotFinite(utf8),
            TypeKind.Boolean when Scalars.TryBoolean(utf8, out var value) => value ? "t" : "f",
            TypeKind.Uuid when Scalars.TryUuid(utf8, out var uuid) => uuid.ToString(),
            TypeKind.Date or TypeKind.Time or TypeKind.Timestamp when Moment.TryParse(utf8, out var moment) =>
                moment.Utc().ToPostgres(),
            TypeKind.Interval when Intervals.TryRead(utf8, out var interval) => interval.ToString(),
            _ => null,
        } ?? text;
    }
}
