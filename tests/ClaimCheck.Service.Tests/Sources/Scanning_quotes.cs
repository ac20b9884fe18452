using System.Text;
using ClaimCheck.Service.Tests.Exporting;
using ClaimCheck.Records.Csv;
using FsCheck;
using FsCheck.Fluent;

namespace ClaimCheck.Service.Tests.Sources;

[Trait("needs", "nothing")]
public sealed class Scanning_quotes
{
    private static readonly Gen<string> Value =
        Gen.Elements("a", "\"", "\n", ",", "\r", "é", "\\", "0123456789").ListOf().Select(parts => string.Concat(parts));

    private static readonly Gen<string> Table =
        Gen.OneOf(Value, Value.Select(value => value + new string('x', 70)), Gen.Constant<string>(null!))
            .Select(CsvText.Write).ListOf(3).Select(fields => string.Join(',', fields) + "\n")
            .ListOf().Select(lines => string.Concat(lines));

    [Fact]
    public void Records_end_where_an_independent_reader_says_wherever_the_bytes_are_cut() =>
        Prop.ForAll(Table.ToArbitrary(), Gen.Choose(1, 200).ToArbitrary(), (text, portion) =>
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var expected = CsvText.Ends(text).Select(end => Encoding.UTF8.GetByteCount(text.AsSpan(0, end)));
            return expected.SequenceEqual(Scan(bytes, portion));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private static List<int> Scan(byte[] bytes, int portion)
    {
        var scanner = new QuoteScanner();
        var ends = new List<int>();
        var taken = 0; // like a block builder, take the records found away now and then
        for (var length = 0; ; length = Math.Min(length + portion, bytes.Length))
        {
            var isLast = length == bytes.Length;
            int end;
            while ((end = scanner.NextEnd(bytes.AsSpan(taken, length - taken), isLast)) >= 0)
            {
                ends.Add(taken + end);
                if (ends.Count % 3 == 0)
                {
                    scanner.Rebase(end);
                    taken += end;
                }
            }

            if (isLast)
                return ends;
        }
    }
}
