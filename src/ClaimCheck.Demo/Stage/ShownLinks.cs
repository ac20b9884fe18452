namespace ClaimCheck.Demo.Stage;

/// <summary>Links are capabilities: on a screen, which ends up in logs and recordings, they are shown without
/// their signature.</summary>
internal static class ShownLinks
{
    private static readonly JsonSerializerOptions Indented = new(ClaimCheckJson.Options) { WriteIndented = true };

    public static string Of(Link link) => Of(link.Reveal());

    /// <summary>An event as on the wire, without the links' signatures.</summary>
    public static string Of(BulkEvent bulkEvent)
    {
        var json = JsonSerializer.SerializeToNode(bulkEvent, ClaimCheckJson.Options)!.AsObject();
        Redact(json, "dataref");
        Redact(json["data"]!.AsObject(), "location");
        return json.ToJsonString(Indented);
    }

    /// <summary>A bulk job as on the wire, without the link's signature.</summary>
    public static string Of(BulkJob job)
    {
        var json = JsonSerializer.SerializeToNode(job, ClaimCheckJson.Options)!.AsObject();
        Redact(json, "resultUrl");
        return json.ToJsonString(Indented);
    }

    private static void Redact(JsonObject json, string name)
    {
        if (json[name]?.GetValue<string>() is { } url)
            json[name] = Of(url);
    }

    private static string Of(string url)
    {
        var address = new Uri(url);
        return $"{address.Scheme}://{address.Authority}{address.AbsolutePath}{(address.Query.Length > 0 ? "?…" : "")}";
    }
}
