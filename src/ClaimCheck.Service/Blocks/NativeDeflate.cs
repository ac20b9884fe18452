using System.Collections.Concurrent;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Blocks;

/// <summary>ISA-L's deflate, where the machine has the library (on Debian and Ubuntu the package libisal2).</summary>
/// <remarks>
/// Only <c>isal_deflate_stateless</c> with a full flush is used: it writes blocks without an end, which other blocks may follow.
/// The structure's first fields are those of <c>igzip_lib.h</c> in the library's binary interface 2.
/// </remarks>
internal static unsafe class NativeDeflate
{
    private const string Library = "libisal.so.2";
    private const uint Level = 1;
    private const ushort FullFlush = 2;

    // The structure has 83 KiB. Its end is not ours to know.
    private const int StateBytes = 256 << 10;
    private const int LevelBytes = 282_624; // ISAL_DEF_LVL1_LARGE

    // As many as blocks were ever compressed at a time, one for each core: they are kept.
    private static readonly ConcurrentBag<nint> Idle = [];

    private static readonly delegate* unmanaged<State*, void> Initialize;
    private static readonly delegate* unmanaged<State*, int> Compress;

    static NativeDeflate()
    {
        if (!Environment.Is64BitProcess || !NativeLibrary.TryLoad(Library, out var library))
            return;
        if (!NativeLibrary.TryGetExport(library, "isal_deflate_stateless_init", out var initialize)
            || !NativeLibrary.TryGetExport(library, "isal_deflate_stateless", out var compress))
            return;
        Initialize = (delegate* unmanaged<State*, void>)initialize;
        Compress = (delegate* unmanaged<State*, int>)compress;
        IsAvailable = IsWhatWeKnow();
    }

    /// <summary>Whether the library is there and does what is expected of it.</summary>
    public static bool IsAvailable { get; }

    /// <summary>Deflate blocks, none of them the final one, that refer to nothing before them and end on a byte
    /// boundary.</summary>
    /// <param name="bytes">What to compress.</param>
    /// <param name="target">Has room for <see cref="BlockCompressor.Bound"/> bytes.</param>
    /// <returns>Their length in <paramref name="target"/>.</returns>
    public static int Deflate(ReadOnlySpan<byte> bytes, Span<byte> target)
    {
        if (!Idle.TryTake(out var memory))
            memory = (nint)NativeMemory.AlignedAlloc(StateBytes + LevelBytes, 64);
        var state = (State*)memory;
        try
        {
            Initialize(state);
            fixed (byte* from = bytes, to = target)
            {
                state->NextIn = from;
                state->AvailableIn = (uint)bytes.Length;
                state->NextOut = to;
                state->AvailableOut = (uint)target.Length;
                state->Level = Level;
                state->LevelBytes = LevelBytes;
                state->LevelBuffer = (byte*)memory + StateBytes;
                state->EndOfStream = 0;
                state->Flush = FullFlush;
                var result = Compress(state);
                if (result != 0 || state->AvailableIn != 0)
                    throw new InvalidOperationException($"ISA-L answered {result} to a block of {bytes.Length} bytes.");
                return (int)state->TotalOut;
            }
        }
        finally
        {
            Idle.Add(memory);
        }
    }

    // A library of that name with another structure must not write what nobody can read.
    private static bool IsWhatWeKnow()
    {
        var sample = new byte[100_000];
        for (var i = 0; i < sample.Length; i++)
            sample[i] = (byte)(i * (i >> 8));
        var target = new byte[BlockCompressor.Bound(sample.Length)];
        try
        {
            var length = Deflate(sample, target);
            using var inflated = new MemoryStream();
            using (var deflate = new DeflateStream(
                new MemoryStream([.. target.AsSpan(0, length), 3, 0]), CompressionMode.Decompress))
                deflate.CopyTo(inflated);
            return inflated.ToArray().AsSpan().SequenceEqual(sample);
        }
        catch (Exception e) when (e is InvalidOperationException or InvalidDataException)
        {
            return false;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct State
    {
        public byte* NextIn;
        public uint AvailableIn;
        public uint TotalIn;
        public byte* NextOut;
        public uint AvailableOut;
        public uint TotalOut;
        public void* HuffmanTables;
        public uint Level;
        public uint LevelBytes;
        public byte* LevelBuffer;
        public ushort EndOfStream;
        public ushort Flush;
        public ushort GzipFlag;
        public ushort HistoryBits;
    }
}
