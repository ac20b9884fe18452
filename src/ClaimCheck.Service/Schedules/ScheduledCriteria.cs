using System.Text.Json.Nodes;

namespace ClaimCheck.Service.Schedules;

/// <summary>What relative criteria are relative to.</summary>
/// <param name="FireTime">The time of the schedule, not that of a late start: a run that is caught up reads what it would have
/// read.</param>
/// <param name="Zone">The schedule's time zone.</param>
/// <param name="Watermark">Up to where the earlier runs have read; null before the first.</param>
internal sealed record FireMoment(DateTimeOffset FireTime, TimeZoneInfo Zone, DateTimeOffset? Watermark);

/// <summary>An export's body with all its criteria resolved, or what is wrong with them.</summary>
internal sealed record ResolvedExport(JsonElement Body, bool UsesWatermark, IReadOnlyDictionary<string, string> Errors);

/// <summary>Criteria that depend on the time of a run: <c>{ "relative": "-P1D", "anchor": "startOfDay" }</c> and <c>{ "after":
/// "watermark", "overlap": "PT5M", "initial": … }</c>, for parameters of a time type.</summary>
internal static class ScheduledCriteria
{
    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF";
    private static readonly TimeSpan UsualOverlap = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestOverlap = TimeSpan.FromDays(30);

    /// <param name="export">The body of an export, an object.</param>
    /// <param name="datasets">Tell the type of a criterion.</param>
    /// <param name="moment">What they are relative to.</param>
    public static ResolvedExport Resolve(JsonElement export, DefinitionSet<DefinedDataset> datasets, FireMoment moment)
    {
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        var usesWatermark = false;
        var body = JsonObject.Create(export)!;
        var dataset = export.TryGetProperty("dataset", out var name) && name.ValueKind == JsonValueKind.String
            ? datasets.Find(name.GetString()!)?.Definition
            : null;
        if (dataset is not null && body["criteria"] is JsonObject criteria)
        {
            foreach (var parameter in dataset.Parameters.Where(parameter => criteria[parameter.Name] is JsonObject))
            {
                var given = export.GetProperty("criteria").GetProperty(parameter.Name);
                if (!IsTime(parameter.Type) && !given.TryGetProperty("relative", out _) && !given.TryGetProperty("after", out _))
                    continue; // json, or for the binder to refuse
                if (parameter.Type is "json" or "jsonb")
                    continue;
                try
                {
                    if (!IsTime(parameter.Type))
                        throw new FormatException("Only a parameter of type timestamptz, timestamp or date can follow the time; "
                            + $"it is of type {parameter.Type}.");
                    criteria[parameter.Name] = Resolve(given, parameter, moment, ref usesWatermark);
                }
                catch (FormatException e)
                {
                    errors[$"criteria.{parameter.Name}"] = e.Message;
                    // One refusal is enough: for the binder it is a time like any other.
                    criteria[parameter.Name] = IsTime(parameter.Type) ? Text(parameter.Type, moment.FireTime, moment.Zone) : null;
                }
            }
        }

        return new(JsonElement.Parse(body.ToJsonString()), usesWatermark, errors);
    }

    private static bool IsTime(string type) => type is "timestamptz" or "timestamp" or "date";

    private static JsonNode? Resolve(JsonElement given, Dataset.Parameter parameter, FireMoment moment, ref bool usesWatermark)
    {
        if (!given.TryGetProperty("after", out var after))
            return Text(parameter.Type, Relative(given).From(moment.FireTime, moment.Zone), moment.Zone);

        Only(given, "after", "overlap", "initial");
        if (after.ValueKind != JsonValueKind.String || after.GetString() != "watermark")
            throw new FormatException("Its after must be watermark.");
        var overlap = UsualOverlap;
        if (given.TryGetProperty("overlap", out var text)
            && (text.ValueKind != JsonValueKind.String || !IsoDuration.TryParse(text.GetString(), out overlap)
                || overlap > LongestOverlap))
        {
            throw new FormatException(
                $"Its overlap must be an ISO 8601 duration of {IsoDuration.Format(LongestOverlap)} at most.");
        }

        usesWatermark = true;
        if (moment.Watermark is { } watermark)
            return Text(parameter.Type, Earliest(parameter.Type, watermark - overlap, moment.Zone), moment.Zone);
        if (given.TryGetProperty("initial", out var initial) && initial.ValueKind != JsonValueKind.Null)
            return initial.ValueKind == JsonValueKind.String
                ? initial.GetString()
                : throw new FormatException("Its initial must be a string.");
        return parameter.Required
            ? throw new FormatException("The parameter is required, and the first run has no watermark: give an initial value.")
            : null;
    }

    private static RelativeTime Relative(JsonElement given)
    {
        Only(given, "relative", "anchor");
        var anchor = given.TryGetProperty("anchor", out var named)
            ? named.ValueKind == JsonValueKind.String && RelativeTime.Anchors.Contains(named.GetString()!, StringComparer.Ordinal)
                ? named.GetString()!
                : throw new FormatException($"Its anchor must be one of {string.Join(", ", RelativeTime.Anchors)}.")
            : "none";
        return given.TryGetProperty("relative", out var duration) && duration.ValueKind == JsonValueKind.String
            && RelativeTime.Parse(duration.GetString()!, anchor) is { } relative
                ? relative
                : throw new FormatException(
                    "Its relative must be an ISO 8601 duration of a hundred years at most, such as -P1D, PT0S or -P1M.");
    }

    private static void Only(JsonElement given, params string[] fields)
    {
        if (given.EnumerateObject().FirstOrDefault(field => !fields.Contains(field.Name, StringComparer.Ordinal))
            is { Value.ValueKind: not JsonValueKind.Undefined } other)
            throw new FormatException($"It has a field {other.Name}, but may have only {string.Join(", ", fields)}.");
    }

    private static string Text(string type, DateTimeOffset time, TimeZoneInfo zone) => type switch
    {
        "timestamptz" => time.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture) + "Z",
        "timestamp" => TimeZoneInfo.ConvertTime(time, zone).DateTime.ToString(TimeForm, CultureInfo.InvariantCulture),
        _ => TimeZoneInfo.ConvertTime(time, zone).DateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
    };

    // A time without an offset may occur again within the hour, when clocks are set back: rows written then must not be missed.
    private static DateTimeOffset Earliest(string type, DateTimeOffset watermark, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(watermark, zone).DateTime;
        if (type == "timestamptz" || !zone.IsAmbiguousTime(local))
            return watermark;
        var offsets = zone.GetAmbiguousTimeOffsets(local);
        return watermark - (offsets.Max() - offsets.Min());
    }
}
