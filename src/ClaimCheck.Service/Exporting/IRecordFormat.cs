namespace ClaimCheck.Service.Exporting;

/// <summary>
/// Turns what COPY sends into a format's records, cut into blocks: <see cref="CsvFormat"/> and <see cref="NdjsonFormat"/>.
/// </summary>
internal interface IRecordFormat
{
    /// <summary>The options of COPY.</summary>
    string CopyOptions { get; }

    /// <summary>What a file begins with, before compression.</summary>
    ReadOnlyMemory<byte> Header { get; }

    string Extension { get; }

    string ContentType { get; }

    /// <summary>Where the next bytes of COPY go.</summary>
    Memory<byte> Space();

    /// <summary>Works through the first <paramref name="count"/> bytes of the space.</summary>
    void Accept(int count);

    /// <summary>One COPY has ended; another may follow. Its records have all been seen then.</summary>
    void EndCopy();

    /// <summary>No more bytes will come.</summary>
    void Finish();
}
