namespace ClaimCheck.Service.Blocks;

/// <summary>Turns what COPY sends into a format's records, cut into blocks: <see cref="CsvFormat"/> and
/// <see cref="NdjsonFormat"/>.</summary>
internal interface IRecordFormat
{
    /// <summary>The options of COPY.</summary>
    string CopyOptions { get; }

    /// <summary>The beginning of each file, before compression.</summary>
    ReadOnlyMemory<byte> Header { get; }

    string Extension { get; }

    string ContentType { get; }

    /// <summary>The buffer for the next bytes of COPY.</summary>
    Memory<byte> Space();

    /// <summary>Whether the next record needs a larger buffer than its lane has: <see cref="BlockBuilder.LargeTurn"/>, and then
    /// another <see cref="Accept"/>, of no bytes.</summary>
    bool WantsLargeTurn { get; }

    /// <summary>Processes the first <paramref name="count"/> bytes of the buffer.</summary>
    /// <exception cref="SourceException">They are not what COPY was asked for.</exception>
    /// <exception cref="OperationCanceledException">The work must stop.</exception>
    void Accept(int count);

    /// <summary>One COPY has ended; another may follow. All its records have been processed then.</summary>
    /// <exception cref="SourceException">It has ended within a record.</exception>
    void EndCopy();

    /// <summary>What was accepted becomes complete blocks: after the last COPY, or after one whose records have files of their
    /// own.</summary>
    void Finish();
}
