namespace ClaimCheck.Service.Schedules;

/// <summary>A valid schedule.</summary>
internal sealed record ValidSchedule(
    string Cron, string TimeZone, ScheduleCron Times, JsonElement Export, string CatchUp, string Overlap, bool Paused,
    DateTimeOffset? EndsAt);

/// <summary>Reads the body of <c>PUT /v1/schedules/{name}</c>; collects what is wrong with each field, including those of the
/// export.</summary>
internal static class ScheduleRequestReader
{
    /// <param name="datasets">The datasets that may be exported.</param>
    /// <param name="now">The database's time.</param>
    public static (ValidSchedule? Schedule, IReadOnlyDictionary<string, string[]> Errors) Read(
        JsonElement body, DefinitionSet<DefinedDataset> datasets, DateTimeOffset now)
    {
        var fields = new FieldReader(body);
        var cron = fields.Text("cron", required: true);
        var zoneName = fields.Text("timeZone", required: false) ?? "UTC";
        var export = fields.Take("export");
        var catchUp = fields.OneOf("catchUp", [.. CatchUp.Policies]) ?? CatchUp.One;
        var overlap = fields.OneOf("overlap", [.. Overlap.Policies]) ?? Overlap.Skip;
        var paused = fields.Flag("paused") ?? false;
        var endsAt = EndsAt(fields);
        fields.RefuseOthers();

        if (!ScheduleCron.TryFindZone(zoneName, out var zone))
            fields.Fail("timeZone", "Must be an IANA time zone that this service knows, such as Europe/Berlin.");
        var times =
            cron is null ? null : ScheduleCron.Parse(cron, zone ?? TimeZoneInfo.Utc, out var refusal) ?? Refused(refusal!);
        if (times is not null && zone is not null && times.After(now) is null)
            fields.Fail("cron", "It would never fire.");

        if (export is not { ValueKind: JsonValueKind.Object } given)
            fields.Fail("export", export is null ? "Must be given." : "Must be an object: the body of POST /v1/exports.");
        else
            CheckExport(given, datasets, new(now, zone ?? TimeZoneInfo.Utc, null), fields);

        return fields.Errors.Count > 0
            ? (null, fields.Errors)
            : (new(cron!, zoneName, times!, export!.Value, catchUp, overlap, paused, endsAt), fields.Errors);

        ScheduleCron? Refused(string why)
        {
            fields.Fail("cron", why);
            return null;
        }
    }

    // Checked as the first run will request it, and as later ones will.
    private static void CheckExport(
        JsonElement export, DefinitionSet<DefinedDataset> datasets, FireMoment first, FieldReader fields)
    {
        var errors = new OrderedDictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var moment in (FireMoment[])[first, first with { Watermark = first.FireTime }])
        {
            var resolved = ScheduledCriteria.Resolve(export, datasets, moment);
            foreach (var (field, message) in resolved.Errors)
                errors.TryAdd(field, [message]);
            foreach (var (field, messages) in ExportRequestReader.Read(resolved.Body, datasets).Errors)
                errors.TryAdd(field, messages);
        }

        foreach (var (field, messages) in errors)
            fields.Fail($"export.{field}", messages);
    }

    private static DateTimeOffset? EndsAt(FieldReader fields)
    {
        if (fields.Take("endsAt") is not { } value)
            return null;
        try
        {
            return DateTimeOffset.Parse(CanonicalTime.Utc(CanonicalValue.Text(value)), CultureInfo.InvariantCulture);
        }
        catch (FormatException e)
        {
            fields.Fail("endsAt", $"It {e.Message}.");
            return null;
        }
    }
}
