namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Limits for what is read from a location, where others write too: whatever is there must not exhaust the adapter's memory and
/// disk.
/// </summary>
internal static class LocationLimits
{
    /// <summary>
    /// Of a file that is read as a whole. <c>.claimcheck</c> names 10,000 files, the most of a manifest, in 200 characters each.
    /// </summary>
    public const int FileBytes = 8 << 20;

    /// <summary>Of a listing, as a server writes it.</summary>
    public const int ListingBytes = 16 << 20;

    /// <summary>Of a file that is read back to be compared, where the location reports no checksum.</summary>
    public const long ReadBackBytes = 64 << 20;

    /// <summary>Of a folder: years of batches.</summary>
    public const int Entries = 200_000;

    /// <exception cref="LocationException">There is more than that.</exception>
    public static async Task<byte[]> ReadAsync(Stream from, string location, string path, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (content.Length + read > FileBytes)
                throw TooLong(location, path);
            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }

    public static LocationException TooLong(string location, string path) =>
        new(LocationFailure.Refused, $"{location} has {path} with more than the {FileBytes} bytes that such a file can have: it "
            + "was not written by the adapter.");

    /// <exception cref="LocationException">There are more entries than that.</exception>
    public static void Check(int entries, string location, string folder)
    {
        if (entries > Entries)
            throw new LocationException(
                LocationFailure.Refused,
                $"{location} has more than {Entries} entries in '{folder}': too many for a folder of batches.");
    }
}
