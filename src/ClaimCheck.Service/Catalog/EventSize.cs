using System.Text.Json.Nodes;

namespace ClaimCheck.Service.Catalog;

/// <summary>Keeps every event below 8 KiB: a consumer's queue takes it, and no relay waits for ever with an event that nothing
/// accepts. Texts are cut first, then lists, with a count of what was left out (<c>missingMore</c> beside <c>missing</c>); ids
/// and names of usual length stay.</summary>
internal static class EventSize
{
    /// <summary>The largest event as it is sent, in bytes.</summary>
    public const int Most = (8 << 10) - 1;

    /// <summary>The largest data of an event as they are stored, in bytes: the rest is for the envelope, and for the addresses of
    /// a BulkReady.</summary>
    public const int MostKept = 6 << 10;

    private static readonly int[] Texts = [4096, 2048, 1024, 512, 256];
    private static readonly int[] Names = [128, 64];

    public static int Of(JsonElement data) => JsonSerializer.SerializeToUtf8Bytes(data, ClaimCheckJson.Options).Length;

    public static int Of(BulkEvent bulkEvent) => JsonSerializer.SerializeToUtf8Bytes(bulkEvent, ClaimCheckJson.Options).Length;

    /// <summary>The event, with its data cut where it would be too large.</summary>
    public static BulkEvent Fit(BulkEvent bulkEvent)
    {
        var over = Of(bulkEvent) - Most;
        return over <= 0 ? bulkEvent : bulkEvent with { Data = Fit(bulkEvent.Data, Of(bulkEvent.Data) - over) };
    }

    /// <summary>The data, cut to a number of bytes.</summary>
    public static JsonElement Fit(JsonElement data, int most)
    {
        if (Of(data) <= most || JsonObject.Create(data) is not { } whole)
            return data;
        foreach (var length in Texts)
        {
            CutTexts(whole, length);
            if (Fits())
                return Cut();
        }

        while (Longest(whole) is var (owner, name, list))
        {
            CutList(owner, name, list);
            if (Fits())
                return Cut();
        }

        foreach (var length in Names)
            CutTexts(whole, length);
        // No event has that many members. If one had, the most important ones would go.
        while (!Fits() && whole.Count > 0)
            whole.Remove(whole.MaxBy(member => Bytes(member.Value)).Key);
        return Cut();

        bool Fits() => Bytes(whole) <= most;
        JsonElement Cut() => JsonSerializer.SerializeToElement(whole, ClaimCheckJson.Options);
    }

    private static int Bytes(JsonNode? node) => JsonSerializer.SerializeToUtf8Bytes(node, ClaimCheckJson.Options).Length;

    private static void CutTexts(JsonNode? node, int length)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, member) in members.ToList())
                {
                    if (TextOf(member) is { } text && text.Length > length)
                        members[name] = BoundedText.Cut(text, length);
                    else
                        CutTexts(member, length);
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    if (TextOf(items[i]) is { } text && text.Length > length)
                        items[i] = BoundedText.Cut(text, length);
                    else
                        CutTexts(items[i], length);
                }

                break;
        }
    }

    private static string? TextOf(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    // The largest list that is not empty yet.
    private static (JsonObject Owner, string Name, JsonArray List)? Longest(JsonObject owner)
    {
        (JsonObject, string, JsonArray List)? longest = null;
        foreach (var (name, member) in owner)
        {
            (JsonObject, string, JsonArray List)? found = member switch
            {
                JsonArray { Count: > 0 } list => (owner, name, list),
                JsonObject inner => Longest(inner),
                _ => null,
            };
            if (found is { } one && (longest is not { } other || Bytes(one.List) > Bytes(other.List)))
                longest = found;
        }

        return longest;
    }

    private static void CutList(JsonObject owner, string name, JsonArray list)
    {
        var gone = Math.Max(1, list.Count / 10);
        for (var i = 0; i < gone; i++)
            list.RemoveAt(list.Count - 1);
        var before = owner[name + "More"] is JsonValue value && value.TryGetValue<int>(out var count) ? count : 0;
        owner[name + "More"] = before + gone;
    }
}
