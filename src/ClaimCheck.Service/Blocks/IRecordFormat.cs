using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Blocks;

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
    /// <exception cref="SourceException">They are not what COPY was asked for.</exception>
    /// <exception cref="OperationCanceledException">The work is to stop.</exception>
    void Accept(int count);

    /// <summary>One COPY has ended; another may follow. Its records have all been seen then.</summary>
    /// <exception cref="SourceException">It has ended within a record.</exception>
    void EndCopy();

    /// <summary>No more bytes will come.</summary>
    void Finish();
}
