namespace ClaimCheck.Records.Files;

/// <summary>One kind of file: where records end, and their content. Holds one record at a time.</summary>
internal abstract class RecordFormat
{
    /// <summary>Continues the search for the end of a record in the file's next bytes.</summary>
    /// <returns>The position of its line feed, or -1: there is more to come.</returns>
    public abstract int FindEnd(ReadOnlySpan<byte> next);

    /// <summary>The record scanned last is within quotes.</summary>
    public virtual bool IsOpen => false;

    public abstract bool IsBlank(ReadOnlySpan<byte> record);

    /// <summary>Parses a record, without its line end. It is valid until the next one is parsed.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public abstract RecordFault? Take(ReadOnlyMemory<byte> record);

    /// <returns>A number for <see cref="Get"/>, or -1: the file does not have the field.</returns>
    public abstract int Find(string field);

    public abstract SourceValue Get(int field);

    /// <summary>The line of the parsed record, where the file itself names it.</summary>
    public virtual long? Line => null;

    /// <summary>Writes the fields of the parsed record, within an object.</summary>
    /// <returns>False where they can't be written.</returns>
    public abstract bool TryWriteFields(Utf8JsonWriter json);

    /// <summary>Writes any record as a value, unchanged: it must be possible to see and correct what was there.</summary>
    public abstract void WriteSource(Utf8JsonWriter json, ReadOnlyMemory<byte> record);

    /// <summary>Another instance for the same file: each holds a record of its own.</summary>
    public abstract RecordFormat Again();
}
