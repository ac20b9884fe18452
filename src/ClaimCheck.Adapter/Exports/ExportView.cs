using System.Text.Json.Serialization;

namespace ClaimCheck.Adapter.Exports;

/// <summary>One export of the adapter, as consumer systems see it.</summary>
internal sealed record ExportView : DeliveryFacts
{
    [SetsRequiredMembers]
    public ExportView(DeliveryDocument document, (Link? Link, DateTimeOffset? ExpiresAt) link = default)
        : base(document)
    {
        Criteria = document.Request?.Criteria;
        // Only while the batch is there.
        Folder = document.State == DeliveryState.Delivered ? document.Folder : null;
        (Link, LinkExpiresAt) = link;
        Links = new($"/exports/{document.Id}", document.HasEnded ? null : $"/exports/{document.Id}");
    }

    public IReadOnlyDictionary<string, JsonElement>? Criteria { get; }

    /// <summary>A link to the batch's manifest there; only in the answer about a single export.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Link? Link { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? LinkExpiresAt { get; }

    public ExportViewLinks Links { get; }

    public override string ToString() => Id;
}

/// <summary>What can be done next.</summary>
/// <param name="Self">The export itself.</param>
/// <param name="Cancel">Where DELETE cancels it, or removes it again; null once it has ended.</param>
internal sealed record ExportViewLinks(string Self, string? Cancel);
