using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Publishing;

/// <summary>A position in the feed as a cursor states it: its number, and a digest of the event that was published there. A
/// catalog that is restored from a dump gives the same numbers again, to other events, or to the same behind others: those are
/// other positions.</summary>
/// <param name="Position">The number; 0 is the beginning.</param>
/// <param name="Digest">Null at the beginning, and in cursors of earlier versions, which are accepted as they are.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FeedPlace(long Position, string? Digest)
{
    private const string Call = "events";
    private const int DigestBytes = 12;

    public static FeedPlace Of(OutboxEvent row) => Of(row.Position, row.EventId, row.Publication);

    /// <summary>Two publications of one event are two positions: the second one comes behind other events than the
    /// first.</summary>
    public static FeedPlace Of(long position, Guid eventId, Guid? publication)
    {
        Span<byte> facts = stackalloc byte[32];
        eventId.TryWriteBytes(facts, bigEndian: true, out _);
        publication.GetValueOrDefault().TryWriteBytes(facts[16..], bigEndian: true, out _);
        return new(position, Base64Url.EncodeToString(SHA256.HashData(facts).AsSpan(0, DigestBytes)));
    }

    /// <returns>Null where the text is not a cursor of the feed.</returns>
    public static FeedPlace? Read(string cursor)
    {
        var (number, digest) = Paging.Open(Call, cursor)?.Split('.') switch
        {
            [var alone] => (alone, null),
            [var first, { Length: > 0 } second] => (first, second),
            _ => ("", null),
        };
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? new(position, digest)
            : null;
    }

    /// <summary>The cursor.</summary>
    public override string ToString() =>
        Paging.Cursor(Call, Digest is null ? Position.ToString(CultureInfo.InvariantCulture) : string.Create(
            CultureInfo.InvariantCulture, $"{Position}.{Digest}"));

    /// <summary>False where both have a digest, and the digests differ.</summary>
    public bool Matches(FeedPlace there) => Digest is null || there.Digest is null || Digest == there.Digest;
}
